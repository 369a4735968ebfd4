package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import org.apache.activemq.RedeliveryPolicy;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A transacted session")
class TransactionTest extends Jms {
    private Session transacted;

    @BeforeEach
    void begin() throws Exception {
        RedeliveryPolicy policy = new RedeliveryPolicy();
        policy.setInitialRedeliveryDelay(0);
        connection.setRedeliveryPolicy(policy);
        transacted = connection.createSession(true, Session.SESSION_TRANSACTED);
    }

    @Test
    @DisplayName("sends everything at its commit and nothing before")
    void commit() throws Exception {
        Queue queue = queue();
        MessageProducer producer = transacted.createProducer(queue);
        producer.send(transacted.createTextMessage("a"));
        producer.send(transacted.createTextMessage("b"));
        MessageConsumer consumer = session.createConsumer(queue);
        assertNull(receiveNone(consumer));
        transacted.commit();
        assertEquals("a", receive(consumer));
        assertEquals("b", receive(consumer));
    }

    @Test
    @DisplayName("sends nothing that is rolled back")
    void rollbackSend() throws Exception {
        Queue queue = queue();
        MessageProducer producer = transacted.createProducer(queue);
        producer.send(transacted.createTextMessage("a"));
        transacted.rollback();
        producer.send(transacted.createTextMessage("b"));
        transacted.commit();
        MessageConsumer consumer = session.createConsumer(queue);
        assertEquals("b", receive(consumer));
        assertNull(receiveNone(consumer));
    }

    @Test
    @DisplayName("has what it received again after a rollback")
    void rollbackReceive() throws Exception {
        Queue queue = queue();
        send(queue, "a", "b");
        MessageConsumer consumer = transacted.createConsumer(queue);
        assertEquals("a", receive(consumer));
        transacted.rollback();
        Message again = consumer.receive(PATIENCE);
        assertEquals("a", text(again));
        assertTrue(again.getJMSRedelivered());
        assertEquals(2, again.getIntProperty("JMSXDeliveryCount"));
        assertEquals("b", receive(consumer));
        transacted.commit();
        consumer.close();
        assertNull(receiveNone(session.createConsumer(queue)));
    }

    @Test
    @DisplayName("receives and sends in one step")
    void both() throws Exception {
        Queue from = queue();
        Queue to = queue();
        send(from, "x");
        MessageConsumer consumer = transacted.createConsumer(from);
        MessageProducer producer = transacted.createProducer(to);
        producer.send(transacted.createTextMessage(receive(consumer) + "!"));
        transacted.rollback();
        MessageConsumer reader = session.createConsumer(to);
        assertNull(receiveNone(reader));
        producer.send(transacted.createTextMessage(receive(consumer) + "!"));
        transacted.commit();
        assertEquals("x!", receive(reader));
    }

    @Test
    @DisplayName("that is closed without a commit has done nothing")
    void closed() throws Exception {
        Queue queue = queue();
        send(queue, "a");
        MessageConsumer consumer = transacted.createConsumer(queue);
        assertEquals("a", receive(consumer));
        transacted.createProducer(queue).send(transacted.createTextMessage("b"));
        transacted.close();
        MessageConsumer next = session.createConsumer(queue);
        assertEquals("a", receive(next));
        assertNull(receiveNone(next));
    }

    @Test
    @DisplayName("commits what a consumer received that is closed meanwhile")
    void consumerClosed() throws Exception {
        Queue queue = queue();
        send(queue, "a");
        MessageConsumer consumer = transacted.createConsumer(queue);
        assertEquals("a", receive(consumer));
        consumer.close();
        transacted.commit();
        assertNull(receiveNone(session.createConsumer(queue)));
    }

    @Test
    @DisplayName("takes many more messages than the prefetch in one transaction")
    void many() throws Exception {
        Queue queue = session.createQueue(name() + "?consumer.prefetchSize=5");
        for (int n = 0; n < 40; n++) {
            send(queue, "m" + n);
        }
        MessageConsumer consumer = transacted.createConsumer(queue);
        for (int n = 0; n < 40; n++) {
            assertEquals("m" + n, receive(consumer));
        }
        transacted.commit();
        consumer.close();
        assertNull(receiveNone(session.createConsumer(queue)));
    }

    @Test
    @DisplayName("works with topics and durable subscriptions")
    void topics() throws Exception {
        Topic topic = topic();
        MessageConsumer consumer = session.createConsumer(topic);
        transacted.createProducer(topic).send(transacted.createTextMessage("x"));
        assertNull(receiveNone(consumer));
        transacted.commit();
        assertEquals("x", receive(consumer));
    }
}
