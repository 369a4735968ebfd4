package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQSession;
import org.apache.activemq.RedeliveryPolicy;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("An acknowledgement")
class AcknowledgeTest extends Jms {
    private Session of(int mode) throws JMSException {
        return connection.createSession(false, mode);
    }

    @Test
    @DisplayName("of the automatic kind takes each message for good")
    void auto() throws Exception {
        Queue queue = queue();
        send(queue, "a", "b");
        MessageConsumer consumer = session.createConsumer(queue);
        assertEquals("a", receive(consumer));
        consumer.close();
        MessageConsumer next = session.createConsumer(queue);
        assertEquals("b", receive(next));
        assertNull(receiveNone(next));
    }

    @Test
    @DisplayName("of the lazy kind takes all messages in the end")
    void dupsOk() throws Exception {
        Queue queue = queue();
        Session lazy = of(Session.DUPS_OK_ACKNOWLEDGE);
        MessageConsumer consumer = lazy.createConsumer(queue);
        for (int n = 0; n < 50; n++) {
            send(queue, "m" + n);
        }
        for (int n = 0; n < 50; n++) {
            assertEquals("m" + n, receive(consumer));
        }
        lazy.close();
        assertNull(receiveNone(session.createConsumer(queue)));
    }

    @Test
    @DisplayName("by the client takes all that it has received")
    void client() throws Exception {
        Queue queue = queue();
        send(queue, "a", "b", "c", "d");
        Session manual = of(Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = manual.createConsumer(queue);
        receive(consumer);
        receive(consumer);
        consumer.receive(PATIENCE).acknowledge();
        assertEquals("d", receive(consumer));
        manual.close();
        Message left = session.createConsumer(queue).receive(PATIENCE);
        assertEquals("d", text(left));
        assertTrue(left.getJMSRedelivered());
        assertEquals(2, left.getIntProperty("JMSXDeliveryCount"));
    }

    @Test
    @DisplayName("that was never given leaves what was not received as it was")
    void prefetchedOnly() throws Exception {
        Queue queue = queue();
        send(queue, "a", "b", "c");
        Session manual = of(Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = manual.createConsumer(queue);
        receive(consumer);
        consumer.close();
        manual.close();
        MessageConsumer next = session.createConsumer(queue);
        assertTrue(next.receive(PATIENCE).getJMSRedelivered());
        assertFalse(next.receive(PATIENCE).getJMSRedelivered());
    }

    @Test
    @DisplayName("of one message alone leaves those before it")
    void individual() throws Exception {
        Queue queue = queue();
        send(queue, "a", "b", "c");
        Session manual = of(ActiveMQSession.INDIVIDUAL_ACKNOWLEDGE);
        MessageConsumer consumer = manual.createConsumer(queue);
        receive(consumer);
        consumer.receive(PATIENCE).acknowledge();
        receive(consumer);
        manual.close();
        MessageConsumer next = session.createConsumer(queue);
        assertEquals("a", receive(next));
        assertEquals("c", receive(next));
        assertNull(receiveNone(next));
    }

    @Test
    @DisplayName("is not given when the session recovers: the messages come again, in order")
    void recover() throws Exception {
        Queue queue = queue();
        send(queue, "a", "b");
        RedeliveryPolicy policy = new RedeliveryPolicy();
        policy.setInitialRedeliveryDelay(0);
        connection.setRedeliveryPolicy(policy);
        Session manual = of(Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = manual.createConsumer(queue);
        receive(consumer);
        receive(consumer);
        manual.recover();
        Message first = consumer.receive(PATIENCE);
        assertEquals("a", text(first));
        assertTrue(first.getJMSRedelivered());
        Message second = consumer.receive(PATIENCE);
        assertEquals("b", text(second));
        second.acknowledge();
    }

    @Test
    @DisplayName("of more messages than the prefetch goes on")
    void smallPrefetch() throws Exception {
        ActiveMQConnection other = closedWithTest(Broker.start(Broker.factory("jms.prefetchPolicy.all=2")));
        for (int mode : new int[] {Session.AUTO_ACKNOWLEDGE, Session.CLIENT_ACKNOWLEDGE, Session.DUPS_OK_ACKNOWLEDGE}) {
            Queue queue = queue();
            Session theirs = other.createSession(false, mode);
            MessageConsumer consumer = theirs.createConsumer(queue);
            for (int n = 0; n < 20; n++) {
                send(queue, "m" + n);
            }
            Message last = null;
            for (int n = 0; n < 20; n++) {
                last = consumer.receive(PATIENCE);
                assertEquals("m" + n, text(last));
            }
            last.acknowledge();
            theirs.close();
            assertNull(receiveNone(session.createConsumer(queue)));
        }
    }

    @Test
    @DisplayName("of poison puts the message aside with the cause")
    void poison() throws Exception {
        Queue queue = queue();
        send(queue, "poison");
        RedeliveryPolicy policy = new RedeliveryPolicy();
        policy.setInitialRedeliveryDelay(0);
        policy.setRedeliveryDelay(0);
        policy.setMaximumRedeliveries(2);
        connection.setRedeliveryPolicy(policy);
        Session transacted = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer consumer = transacted.createConsumer(queue);
        for (int tries = 0; tries < 3; tries++) {
            assertEquals("poison", receive(consumer));
            transacted.rollback();
        }
        assertNull(receiveNone(consumer));
        MessageConsumer dead = session.createConsumer(
            session.createQueue("ActiveMQ.DLQ"), "dlqDeliveryFailureCause LIKE '%redelivery%'");
        Message letter;
        do {
            letter = dead.receive(PATIENCE);
            assertNotNull(letter);
        } while (!text(letter).equals("poison"));
        assertTrue(letter.getStringProperty("dlqDeliveryFailureCause").contains("redelivery"));
    }

    @Test
    @DisplayName("of a message to a listener is given when it returns, and not when it throws")
    void listener() throws Exception {
        Queue queue = queue();
        RedeliveryPolicy policy = new RedeliveryPolicy();
        policy.setInitialRedeliveryDelay(0);
        connection.setRedeliveryPolicy(policy);
        var seen = new java.util.concurrent.LinkedBlockingQueue<Boolean>();
        session.createConsumer(queue).setMessageListener(message -> {
            try {
                seen.add(message.getJMSRedelivered());
                if (!message.getJMSRedelivered()) {
                    throw new RuntimeException("try again");
                }
            } catch (JMSException e) {
                throw new RuntimeException(e);
            }
        });
        Session other = of(Session.AUTO_ACKNOWLEDGE);
        other.createProducer(queue).send(other.createTextMessage("x"));
        assertEquals(false, seen.poll(5, java.util.concurrent.TimeUnit.SECONDS));
        assertEquals(true, seen.poll(5, java.util.concurrent.TimeUnit.SECONDS));
    }
}
