package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A topic")
class TopicTest extends Jms {
    private static Session sessionOf(Connection connection) throws JMSException {
        return connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    }

    @Test
    @DisplayName("gives a copy to each subscriber and nothing to those who come later")
    void copies() throws Exception {
        Topic topic = topic();
        send(topic, "early");
        MessageConsumer one = session.createConsumer(topic);
        MessageConsumer two = sessionOf(another()).createConsumer(topic);
        send(topic, "x");
        assertEquals("x", receive(one));
        assertEquals("x", receive(two));
    }

    @Test
    @DisplayName("is subscribed to by wildcards")
    void wildcards() throws Exception {
        String base = name();
        MessageConsumer one = session.createConsumer(session.createTopic(base + ".*.x"));
        MessageConsumer all = session.createConsumer(session.createTopic(base + ".>"));
        send(session.createTopic(base + ".a.x"), "1");
        send(session.createTopic(base + ".a.b.x"), "2");
        Message got = one.receive(PATIENCE);
        assertEquals("1", text(got));
        assertEquals(session.createTopic(base + ".a.x"), got.getJMSDestination());
        assertEquals("1", receive(all));
        assertEquals("2", receive(all));
        assertNull(receiveNone(one));
    }

    @Test
    @DisplayName("spares a subscriber what its own connection sends, when it asks for that")
    void noLocal() throws Exception {
        Topic topic = topic();
        MessageConsumer consumer = session.createConsumer(topic, null, true);
        send(topic, "own");
        Session other = sessionOf(another());
        other.createProducer(topic).send(other.createTextMessage("other"));
        assertEquals("other", receive(consumer));
    }

    @Test
    @DisplayName("gives a subscriber what its selector wants")
    void selector() throws Exception {
        Topic topic = topic();
        MessageConsumer consumer = session.createConsumer(topic, "n BETWEEN 2 AND 3");
        MessageProducer producer = session.createProducer(topic);
        for (int n = 1; n <= 4; n++) {
            TextMessage message = session.createTextMessage("m" + n);
            message.setIntProperty("n", n);
            producer.send(message);
        }
        assertEquals("m2", receive(consumer));
        assertEquals("m3", receive(consumer));
        assertNull(receiveNone(consumer));
    }

    @Test
    @DisplayName("keeps messages for a durable subscription while nobody is there")
    void durable() throws Exception {
        Topic topic = topic();
        String id = name();
        ActiveMQConnection first = named(id);
        sessionOf(first).createDurableSubscriber(topic, "s").close();
        first.close();
        send(topic, "a", "b");
        Session again = sessionOf(named(id));
        TopicSubscriber subscriber = again.createDurableSubscriber(topic, "s");
        assertEquals("a", receive(subscriber));
        assertEquals("b", receive(subscriber));
        subscriber.close();
        again.unsubscribe("s");
    }

    @Test
    @DisplayName("gives a durable subscription again what was not acknowledged")
    void durableRedelivery() throws Exception {
        Topic topic = topic();
        String id = name();
        ActiveMQConnection first = named(id);
        Session manual = first.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        TopicSubscriber subscriber = manual.createDurableSubscriber(topic, "s");
        send(topic, "x");
        assertEquals("x", receive(subscriber));
        first.close();
        Message again = sessionOf(named(id)).createDurableSubscriber(topic, "s").receive(PATIENCE);
        assertEquals("x", text(again));
        assertTrue(again.getJMSRedelivered());
    }

    @Test
    @DisplayName("begins a durable subscription anew when its selector changes")
    void selectorChange() throws Exception {
        Topic topic = topic();
        Session theirs = sessionOf(named(name()));
        theirs.createDurableSubscriber(topic, "s").close();
        send(topic, "before");
        TopicSubscriber changed = theirs.createDurableSubscriber(topic, "s", "n = 1", false);
        TextMessage message = session.createTextMessage("after");
        message.setIntProperty("n", 1);
        session.createProducer(topic).send(message);
        assertEquals("after", receive(changed));
    }

    @Test
    @DisplayName("refuses to remove a durable subscription that is in use or not there")
    void unsubscribe() throws Exception {
        Topic topic = topic();
        Session theirs = sessionOf(named(name()));
        TopicSubscriber subscriber = theirs.createDurableSubscriber(topic, "s");
        assertThrows(JMSException.class, () -> theirs.unsubscribe("s"));
        subscriber.close();
        theirs.unsubscribe("s");
        assertThrows(InvalidDestinationException.class, () -> theirs.unsubscribe("s"));
        send(topic, "nobody's");
        assertNull(receiveNone(theirs.createDurableSubscriber(topic, "s")));
    }

    @Test
    @DisplayName("refuses a second consumer of one durable subscription")
    void inUse() throws Exception {
        Topic topic = topic();
        Session theirs = sessionOf(named(name()));
        theirs.createDurableSubscriber(topic, "s");
        assertThrows(JMSException.class, () -> theirs.createDurableSubscriber(topic, "s"));
    }

    @Test
    @DisplayName("that is virtual fills the queues that were made for it")
    void virtual() throws Exception {
        String name = "VirtualTopic." + name();
        MessageConsumer a = session.createConsumer(session.createQueue("Consumer.a." + name));
        MessageConsumer b = session.createConsumer(session.createQueue("Consumer.b." + name));
        send(session.createTopic(name), "x");
        Message got = a.receive(PATIENCE);
        assertEquals("x", text(got));
        assertEquals(session.createQueue("Consumer.a." + name), got.getJMSDestination());
        assertEquals("x", receive(b));
    }
}
