package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A durable subscription")
class DurableTest extends Jms {
    @Test
    @DisplayName("is one of several that a client has")
    void several() throws Exception {
        Topic topic = topic();
        Session theirs = auto(named(name()));
        theirs.createDurableSubscriber(topic, "a").close();
        send(topic, "1");
        theirs.createDurableSubscriber(topic, "b").close();
        send(topic, "2");
        TopicSubscriber a = theirs.createDurableSubscriber(topic, "a");
        assertEquals("1", receive(a));
        assertEquals("2", receive(a));
        assertEquals("2", receive(theirs.createDurableSubscriber(topic, "b")));
    }

    @Test
    @DisplayName("of another client may have the same name")
    void clients() throws Exception {
        Topic topic = topic();
        TopicSubscriber one = auto(named(name())).createDurableSubscriber(topic, "s");
        TopicSubscriber two = auto(named(name())).createDurableSubscriber(topic, "s");
        send(topic, "x");
        assertEquals("x", receive(one));
        assertEquals("x", receive(two));
    }

    @Test
    @DisplayName("keeps what is not persistent, while nobody is there")
    void notPersistent() throws Exception {
        Topic topic = topic();
        Session theirs = auto(named(name()));
        theirs.createDurableSubscriber(topic, "s").close();
        MessageProducer producer = session.createProducer(topic);
        producer.send(session.createTextMessage("x"), DeliveryMode.NON_PERSISTENT, 4, 0);
        assertEquals("x", receive(theirs.createDurableSubscriber(topic, "s")));
    }

    @Test
    @DisplayName("keeps what its selector wants, and nothing else")
    void selector() throws Exception {
        Topic topic = topic();
        Session theirs = auto(named(name()));
        theirs.createDurableSubscriber(topic, "s", "n = 2", false).close();
        MessageProducer producer = session.createProducer(topic);
        for (int n = 1; n <= 3; n++) {
            TextMessage message = session.createTextMessage("m" + n);
            message.setIntProperty("n", n);
            producer.send(message);
        }
        TopicSubscriber subscriber = theirs.createDurableSubscriber(topic, "s", "n = 2", false);
        assertEquals("m2", receive(subscriber));
        assertNull(receiveNone(subscriber));
    }

    @Test
    @DisplayName("may be to a wildcard")
    void wildcard() throws Exception {
        String base = name();
        Session theirs = auto(named(name()));
        Topic all = session.createTopic(base + ".>");
        theirs.createDurableSubscriber(all, "s").close();
        send(session.createTopic(base + ".a"), "1");
        send(session.createTopic(base + ".b.c"), "2");
        TopicSubscriber subscriber = theirs.createDurableSubscriber(all, "s");
        assertEquals("1", receive(subscriber));
        assertEquals("2", receive(subscriber));
    }

    @Test
    @DisplayName("begins anew when its topic changes")
    void otherTopic() throws Exception {
        Topic before = topic();
        Topic after = topic();
        Session theirs = auto(named(name()));
        theirs.createDurableSubscriber(before, "s").close();
        send(before, "lost");
        TopicSubscriber subscriber = theirs.createDurableSubscriber(after, "s");
        send(before, "lost too");
        send(after, "x");
        assertEquals("x", receive(subscriber));
        assertNull(receiveNone(subscriber));
    }

    @Test
    @DisplayName("needs a client id")
    void clientId() {
        assertThrows(JMSException.class, () -> session.createDurableSubscriber(topic(), "s"));
    }

    @Test
    @DisplayName("keeps many more messages than the prefetch, in order")
    void many() throws Exception {
        Topic topic = topic();
        Session theirs = auto(named(name()));
        theirs.createDurableSubscriber(topic, "s").close();
        Session transacted = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageProducer producer = transacted.createProducer(topic);
        for (int n = 0; n < 1200; n++) {
            producer.send(transacted.createTextMessage("m" + n));
        }
        transacted.commit();
        TopicSubscriber subscriber = theirs.createDurableSubscriber(topic, "s");
        for (int n = 0; n < 1200; n++) {
            assertEquals("m" + n, receive(subscriber));
        }
    }

    @Test
    @DisplayName("goes on after what was acknowledged by hand")
    void acknowledged() throws Exception {
        Topic topic = topic();
        String id = name();
        ActiveMQConnection first = named(id);
        Session manual = first.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        TopicSubscriber subscriber = manual.createDurableSubscriber(topic, "s");
        send(topic, "a", "b", "c");
        assertEquals("a", receive(subscriber));
        subscriber.receive(PATIENCE).acknowledge();
        assertEquals("c", receive(subscriber));
        first.close();
        TopicSubscriber again = auto(named(id)).createDurableSubscriber(topic, "s");
        assertEquals("c", receive(again));
        assertNull(receiveNone(again));
    }

    @Test
    @DisplayName("has again what its transaction did not commit")
    void transacted() throws Exception {
        ActiveMQConnection other = named(name());
        other.getRedeliveryPolicy().setInitialRedeliveryDelay(0);
        Session theirs = other.createSession(true, Session.SESSION_TRANSACTED);
        Topic topic = topic();
        TopicSubscriber subscriber = theirs.createDurableSubscriber(topic, "s");
        send(topic, "x");
        assertEquals("x", receive(subscriber));
        theirs.rollback();
        assertEquals("x", receive(subscriber));
        theirs.commit();
        subscriber.close();
        assertNull(receiveNone(theirs.createDurableSubscriber(topic, "s")));
    }

    @Test
    @DisplayName("is spared what its own connection sends, when it asks for that")
    void noLocal() throws Exception {
        Topic topic = topic();
        Session theirs = auto(named(name()));
        TopicSubscriber subscriber = theirs.createDurableSubscriber(topic, "s", null, true);
        theirs.createProducer(topic).send(theirs.createTextMessage("own"));
        send(topic, "other");
        assertEquals("other", receive(subscriber));
    }
}
