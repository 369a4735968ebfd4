package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.util.concurrent.TimeUnit;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.advisory.DestinationSource;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A temporary destination")
class TemporaryTest extends Jms {
    /** Answers what comes to a queue. */
    private void answering(Queue queue, ActiveMQConnection other) throws JMSException {
        Session theirs = other.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = theirs.createProducer(null);
        theirs.createConsumer(queue).setMessageListener(message -> {
            try {
                TextMessage answer = theirs.createTextMessage(((TextMessage) message).getText() + "!");
                answer.setJMSCorrelationID(message.getJMSMessageID());
                producer.send(message.getJMSReplyTo(), answer);
            } catch (JMSException e) {
                throw new RuntimeException(e);
            }
        });
    }

    @Test
    @DisplayName("takes the answer to a request")
    void requestor() throws Exception {
        Queue queue = queue();
        answering(queue, another());
        QueueSession queues = connection.createQueueSession(false, Session.AUTO_ACKNOWLEDGE);
        QueueRequestor requestor = new QueueRequestor(queues, queue);
        assertEquals("a!", text(requestor.request(session.createTextMessage("a"))));
        assertEquals("b!", text(requestor.request(session.createTextMessage("b"))));
    }

    @Test
    @DisplayName("that was made before its answerer connected is known to it")
    void earlier() throws Exception {
        Queue queue = queue();
        TemporaryQueue replies = session.createTemporaryQueue();
        MessageConsumer consumer = session.createConsumer(replies);
        TextMessage request = session.createTextMessage("a");
        request.setJMSReplyTo(replies);
        session.createProducer(queue).send(request);
        answering(queue, another());
        Message answer = consumer.receive(PATIENCE);
        assertEquals("a!", text(answer));
        assertEquals(request.getJMSMessageID(), answer.getJMSCorrelationID());
    }

    @Test
    @DisplayName("is read by its own connection only")
    void owner() throws Exception {
        TemporaryQueue queue = session.createTemporaryQueue();
        Session other = another().createSession(false, Session.AUTO_ACKNOWLEDGE);
        assertThrows(JMSException.class, () -> other.createConsumer(queue));
    }

    @Test
    @DisplayName("can be a topic")
    void ofTopics() throws Exception {
        TemporaryTopic topic = session.createTemporaryTopic();
        MessageConsumer consumer = session.createConsumer(topic);
        send(topic, "x");
        assertEquals("x", receive(consumer));
    }

    @Test
    @DisplayName("is gone with its connection")
    void gone() throws Exception {
        ActiveMQConnection other = another();
        TemporaryQueue queue = other.createSession(false, Session.AUTO_ACKNOWLEDGE).createTemporaryQueue();
        ActiveMQConnection unaware =
            closedWithTest(Broker.start(Broker.factory("jms.watchTopicAdvisories=false")));
        Session theirs = unaware.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = theirs.createProducer(queue);
        producer.send(theirs.createTextMessage("there"));
        other.close();
        assertThrows(JMSException.class, () -> producer.send(theirs.createTextMessage("gone")));
    }

    @Test
    @DisplayName("can be deleted, once nobody consumes from it")
    void delete() throws Exception {
        TemporaryQueue queue = session.createTemporaryQueue();
        MessageConsumer consumer = session.createConsumer(queue);
        assertThrows(JMSException.class, queue::delete);
        consumer.close();
        queue.delete();
        assertThrows(JMSException.class, () -> send(queue, "x"));
    }

    @Test
    @DisplayName("and any other are told of on advisory topics")
    void advisories() throws Exception {
        DestinationSource source = connection.getDestinationSource();
        Queue queue = queue();
        send(queue, "x");
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE);
        while (!source.getQueues().contains(queue) && System.nanoTime() < deadline) {
            Thread.sleep(10);
        }
        assertTrue(source.getQueues().contains(queue));
    }
}
