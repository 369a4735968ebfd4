package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQSession;
import org.apache.activemq.RedeliveryPolicy;
import org.apache.activemq.broker.region.policy.RedeliveryPolicyMap;
import org.apache.activemq.command.ActiveMQMessage;
import org.apache.activemq.command.ActiveMQQueue;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A redelivery")
class RedeliveryTest extends Jms {
    private Session transacted() throws JMSException {
        return connection.createSession(true, Session.SESSION_TRANSACTED);
    }

    private static long millisSince(long start) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
    }

    @Test
    @DisplayName("waits as the policy says, longer each time")
    void backOff() throws Exception {
        RedeliveryPolicy policy = new RedeliveryPolicy();
        policy.setInitialRedeliveryDelay(100);
        policy.setUseExponentialBackOff(true);
        policy.setBackOffMultiplier(2);
        connection.setRedeliveryPolicy(policy);
        Queue queue = queue();
        send(queue, "x");
        Session session = transacted();
        MessageConsumer consumer = session.createConsumer(queue);
        assertEquals("x", receive(consumer));
        for (long delay : new long[] {100, 200, 400}) {
            long start = System.nanoTime();
            session.rollback();
            assertEquals("x", receive(consumer));
            assertTrue(millisSince(start) >= delay - 20, delay + " ms");
        }
        session.commit();
    }

    @Test
    @DisplayName("follows the policy of its destination")
    void policyMap() throws Exception {
        Queue queue = queue();
        redeliverAtOnce(5);
        RedeliveryPolicy never = new RedeliveryPolicy();
        never.setMaximumRedeliveries(0);
        RedeliveryPolicyMap map = new RedeliveryPolicyMap();
        map.setDefaultEntry(connection.getRedeliveryPolicy());
        map.put((ActiveMQQueue) queue, never);
        connection.setRedeliveryPolicyMap(map);
        String mark = name();
        session.createProducer(queue).send(marked(mark));
        Session session = transacted();
        MessageConsumer consumer = session.createConsumer(queue);
        assertEquals(mark, receive(consumer));
        session.rollback();
        assertNull(receiveNone(consumer));
        assertNotNull(letter(mark, PATIENCE));
    }

    @Test
    @DisplayName("is counted from rollback to rollback")
    void counted() throws Exception {
        redeliverAtOnce(6);
        Queue queue = queue();
        send(queue, "x");
        Session session = transacted();
        MessageConsumer consumer = session.createConsumer(queue);
        for (int count = 1; count <= 4; count++) {
            Message got = consumer.receive(PATIENCE);
            assertEquals(count, got.getIntProperty("JMSXDeliveryCount"));
            assertEquals(count > 1, got.getJMSRedelivered());
            session.rollback();
        }
    }

    @Test
    @DisplayName("is counted from consumer to consumer")
    void consumers() throws Exception {
        Queue queue = queue();
        send(queue, "x");
        for (int count = 1; count <= 4; count++) {
            Session manual = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
            Message got = manual.createConsumer(queue).receive(PATIENCE);
            assertEquals(count, got.getIntProperty("JMSXDeliveryCount"));
            manual.close();
        }
    }

    @Test
    @DisplayName("never ends when the policy says so")
    void unlimited() throws Exception {
        redeliverAtOnce(RedeliveryPolicy.NO_MAXIMUM_REDELIVERIES);
        Queue queue = queue();
        send(queue, "x");
        Session session = transacted();
        MessageConsumer consumer = session.createConsumer(queue);
        for (int n = 0; n < 20; n++) {
            assertEquals("x", receive(consumer));
            session.rollback();
        }
        assertEquals("x", receive(consumer));
        session.commit();
    }

    @Test
    @DisplayName("too many, by recovering, makes a dead letter that tells where it comes from")
    void recovered() throws Exception {
        redeliverAtOnce(1);
        Queue queue = queue();
        String mark = name();
        TextMessage sent = marked(mark);
        session.createProducer(queue).send(sent);
        Session manual = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = manual.createConsumer(queue);
        for (int n = 0; n < 2; n++) {
            assertEquals(mark, receive(consumer));
            manual.recover();
        }
        assertNull(receiveNone(consumer));
        ActiveMQMessage letter = (ActiveMQMessage) letter(mark, PATIENCE);
        assertEquals(mark, text(letter));
        assertEquals(sent.getJMSMessageID(), letter.getJMSMessageID());
        assertEquals(session.createQueue("ActiveMQ.DLQ"), letter.getJMSDestination());
        assertEquals(queue, letter.getOriginalDestination());
    }

    @Test
    @DisplayName("too many, by a listener that throws, makes a dead letter with what was thrown")
    void thrown() throws Exception {
        redeliverAtOnce(2);
        Queue queue = queue();
        String mark = name();
        CountDownLatch tries = new CountDownLatch(3);
        auto(connection).createConsumer(queue).setMessageListener(message -> {
            tries.countDown();
            throw new UnsupportedOperationException("cannot do that");
        });
        session.createProducer(queue).send(marked(mark));
        assertTrue(tries.await(PATIENCE, TimeUnit.MILLISECONDS));
        Message letter = letter(mark, PATIENCE);
        assertNotNull(letter);
        String cause = letter.getStringProperty("dlqDeliveryFailureCause");
        assertTrue(cause.contains("cannot do that"), cause);
    }

    @Test
    @DisplayName("too many of a message that is not persistent drops it")
    void notPersistent() throws Exception {
        redeliverAtOnce(0);
        Queue queue = queue();
        String mark = name();
        session.createProducer(queue).send(marked(mark), DeliveryMode.NON_PERSISTENT, 4, 0);
        Session session = transacted();
        MessageConsumer consumer = session.createConsumer(queue);
        assertEquals(mark, receive(consumer));
        session.rollback();
        assertNull(receiveNone(consumer));
        assertNull(letter(mark, MOMENT));
    }

    @Test
    @DisplayName("that is the last lets the next message through")
    void next() throws Exception {
        redeliverAtOnce(1);
        Queue queue = queue();
        send(queue, "poison", "good");
        Session session = transacted();
        MessageConsumer consumer = session.createConsumer(queue);
        for (int n = 0; n < 2; n++) {
            assertEquals("poison", receive(consumer));
            session.rollback();
        }
        assertEquals("good", receive(consumer));
        session.commit();
    }

    @Test
    @DisplayName("after individual acknowledgements is of the others")
    void individual() throws Exception {
        redeliverAtOnce(6);
        Queue queue = queue();
        send(queue, "a", "b", "c");
        Session manual = connection.createSession(false, ActiveMQSession.INDIVIDUAL_ACKNOWLEDGE);
        MessageConsumer consumer = manual.createConsumer(queue);
        assertEquals("a", receive(consumer));
        consumer.receive(PATIENCE).acknowledge();
        assertEquals("c", receive(consumer));
        manual.close();
        MessageConsumer next = session.createConsumer(queue);
        Message first = next.receive(PATIENCE);
        assertEquals("a", text(first));
        assertTrue(first.getJMSRedelivered());
        assertEquals("c", receive(next));
    }

    @Test
    @DisplayName("follows when the connection breaks")
    void broken() throws Exception {
        Queue queue = queue();
        send(queue, "x");
        try (Cable cable = new Cable()) {
            ActiveMQConnection other = closedWithTest(Broker.start(Broker.withTrust(cable.url())));
            Session manual = other.createSession(false, Session.CLIENT_ACKNOWLEDGE);
            assertEquals("x", receive(manual.createConsumer(queue)));
        }
        Message again = session.createConsumer(queue).receive(PATIENCE);
        assertEquals("x", text(again));
        assertTrue(again.getJMSRedelivered());
        assertEquals(2, again.getIntProperty("JMSXDeliveryCount"));
    }

    @Test
    @DisplayName("too many in a durable subscription makes a dead letter from the topic")
    void durable() throws Exception {
        ActiveMQConnection other = named(name());
        RedeliveryPolicy never = new RedeliveryPolicy();
        never.setMaximumRedeliveries(0);
        other.setRedeliveryPolicy(never);
        Session theirs = other.createSession(true, Session.SESSION_TRANSACTED);
        Topic topic = topic();
        TopicSubscriber subscriber = theirs.createDurableSubscriber(topic, "s");
        String mark = name();
        session.createProducer(topic).send(marked(mark));
        assertEquals(mark, receive(subscriber));
        theirs.rollback();
        assertNull(receiveNone(subscriber));
        assertEquals(topic, ((ActiveMQMessage) letter(mark, PATIENCE)).getOriginalDestination());
    }
}
