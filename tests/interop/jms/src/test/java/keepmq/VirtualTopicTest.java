package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A virtual topic")
class VirtualTopicTest extends Jms {
    private final String name = "VirtualTopic." + name();

    private Queue queueOf(String group) throws JMSException {
        return session.createQueue("Consumer." + group + "." + name);
    }

    @Test
    @DisplayName("shares one group's messages between its consumers")
    void shared() throws Exception {
        MessageConsumer one = session.createConsumer(queueOf("a"));
        MessageConsumer two = auto(another()).createConsumer(queueOf("a"));
        send(session.createTopic(name), "1", "2");
        assertEquals(Set.of("1", "2"), Set.of(receive(one), receive(two)));
    }

    @Test
    @DisplayName("keeps a group's messages while none of its consumers is there")
    void offline() throws Exception {
        session.createConsumer(queueOf("a")).close();
        send(session.createTopic(name), "x");
        assertEquals("x", receive(session.createConsumer(queueOf("a"))));
    }

    @Test
    @DisplayName("is an ordinary topic to its subscribers too")
    void subscribers() throws Exception {
        MessageConsumer queue = session.createConsumer(queueOf("a"));
        MessageConsumer subscriber = session.createConsumer(session.createTopic(name));
        send(session.createTopic(name), "x");
        assertEquals("x", receive(queue));
        Message got = subscriber.receive(PATIENCE);
        assertEquals("x", text(got));
        assertEquals(session.createTopic(name), got.getJMSDestination());
    }

    @Test
    @DisplayName("gives its messages when the transaction is committed")
    void transacted() throws Exception {
        MessageConsumer queue = session.createConsumer(queueOf("a"));
        Session transacted = connection.createSession(true, Session.SESSION_TRANSACTED);
        transacted.createProducer(session.createTopic(name)).send(session.createTextMessage("x"));
        assertNull(receiveNone(queue));
        transacted.commit();
        assertEquals("x", receive(queue));
    }
}
