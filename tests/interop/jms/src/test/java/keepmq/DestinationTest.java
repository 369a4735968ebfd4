package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.util.HashMap;
import java.util.Map;
import org.apache.activemq.command.ActiveMQDestination;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A destination")
class DestinationTest extends Jms {
    @Test
    @DisplayName("that is a queue is another than the topic of its name")
    void kinds() throws Exception {
        String name = name();
        MessageConsumer queue = session.createConsumer(session.createQueue(name));
        MessageConsumer topic = session.createConsumer(session.createTopic(name));
        send(session.createQueue(name), "queue");
        send(session.createTopic(name), "topic");
        assertEquals("queue", receive(queue));
        assertEquals("topic", receive(topic));
        assertNull(receiveNone(queue));
        assertNull(receiveNone(topic));
    }

    @Test
    @DisplayName("of several in a transaction is all of them at the commit")
    void composite() throws Exception {
        String one = name();
        String two = name();
        Session transacted = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageProducer producer = transacted.createProducer(session.createQueue(one + "," + two));
        producer.send(transacted.createTextMessage("lost"));
        transacted.rollback();
        producer.send(transacted.createTextMessage("x"));
        transacted.commit();
        assertEquals("x", receive(session.createConsumer(session.createQueue(one))));
        assertEquals("x", receive(session.createConsumer(session.createQueue(two))));
    }

    @Test
    @DisplayName("of one level of a wildcard does not match two")
    void oneLevel() throws Exception {
        String base = name();
        MessageConsumer consumer = session.createConsumer(session.createQueue(base + ".*"));
        send(session.createQueue(base + ".a.b"), "two");
        send(session.createQueue(base + ".a"), "one");
        assertEquals("one", receive(consumer));
        assertNull(receiveNone(consumer));
    }

    @Test
    @DisplayName("is deleted with its messages, and not while it is consumed from")
    void deleted() throws Exception {
        Queue queue = queue();
        send(queue, "x");
        MessageConsumer consumer = session.createConsumer(queue, "n = 1");
        assertThrows(JMSException.class, () -> connection.destroyDestination((ActiveMQDestination) queue));
        consumer.close();
        connection.destroyDestination((ActiveMQDestination) queue);
        assertNull(receiveNone(session.createConsumer(queue)));
    }

    @Test
    @DisplayName("takes many requests at once, whose answers are told apart")
    void requests() throws Exception {
        Queue queue = queue();
        Session theirs = auto(another());
        MessageProducer answers = theirs.createProducer(null);
        theirs.createConsumer(queue).setMessageListener(message -> {
            try {
                TextMessage answer = theirs.createTextMessage(text(message) + "!");
                answer.setJMSCorrelationID(message.getJMSMessageID());
                answers.send(message.getJMSReplyTo(), answer);
            } catch (JMSException e) {
                throw new RuntimeException(e);
            }
        });
        TemporaryQueue replies = session.createTemporaryQueue();
        Map<String, String> open = new HashMap<>();
        MessageProducer producer = session.createProducer(queue);
        for (int n = 0; n < 30; n++) {
            TextMessage request = session.createTextMessage("m" + n);
            request.setJMSReplyTo(replies);
            producer.send(request);
            open.put(request.getJMSMessageID(), "m" + n + "!");
        }
        MessageConsumer consumer = session.createConsumer(replies);
        while (!open.isEmpty()) {
            Message answer = consumer.receive(PATIENCE);
            assertEquals(open.remove(answer.getJMSCorrelationID()), text(answer));
        }
    }

    @Test
    @DisplayName("answers requests over temporary topics")
    void topicRequestor() throws Exception {
        Topic topic = topic();
        Session theirs = auto(another());
        MessageProducer answers = theirs.createProducer(null);
        theirs.createConsumer(topic).setMessageListener(message -> {
            try {
                answers.send(message.getJMSReplyTo(), theirs.createTextMessage(text(message) + "!"));
            } catch (JMSException e) {
                throw new RuntimeException(e);
            }
        });
        TopicSession topics = connection.createTopicSession(false, Session.AUTO_ACKNOWLEDGE);
        TopicRequestor requestor = new TopicRequestor(topics, topic);
        assertEquals("a!", text(requestor.request(topics.createTextMessage("a"))));
    }
}
