package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import org.apache.activemq.ScheduledMessage;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("later:scheduled")
@DisplayName("A scheduled message")
class ScheduledTest extends Jms {
    private TextMessage delayed(String text, long delay) throws JMSException {
        TextMessage message = session.createTextMessage(text);
        message.setLongProperty(ScheduledMessage.AMQ_SCHEDULED_DELAY, delay);
        return message;
    }

    private MessageProducer scheduler() throws JMSException {
        return session.createProducer(session.createTopic(ScheduledMessage.AMQ_SCHEDULER_MANAGEMENT_DESTINATION));
    }

    private Message ask(String action) throws JMSException {
        Message request = session.createMessage();
        request.setStringProperty(ScheduledMessage.AMQ_SCHEDULER_ACTION, action);
        return request;
    }

    /** The job that carries a text; null when there is none. */
    private String job(String text) throws JMSException {
        TemporaryQueue replies = session.createTemporaryQueue();
        MessageConsumer consumer = session.createConsumer(replies);
        Message request = ask(ScheduledMessage.AMQ_SCHEDULER_ACTION_BROWSE);
        request.setJMSReplyTo(replies);
        scheduler().send(request);
        String found = null;
        for (Message job = consumer.receive(500); job != null; job = receiveNone(consumer)) {
            if (job instanceof TextMessage scheduled && text.equals(scheduled.getText())) {
                found = job.getStringProperty(ScheduledMessage.AMQ_SCHEDULED_ID);
            }
        }
        consumer.close();
        return found;
    }

    @Test
    @DisplayName("comes after its delay and not before, while others pass it")
    void delay() throws Exception {
        Queue queue = queue();
        MessageConsumer consumer = session.createConsumer(queue);
        long sent = System.nanoTime();
        session.createProducer(queue).send(delayed("late", 1500));
        send(queue, "now");
        assertEquals("now", receive(consumer));
        Message late = consumer.receive(PATIENCE);
        assertEquals("late", text(late));
        assertTrue(System.nanoTime() - sent >= 1_400_000_000L);
        assertFalse(late.propertyExists(ScheduledMessage.AMQ_SCHEDULED_DELAY));
        assertTrue(late.propertyExists(ScheduledMessage.AMQ_SCHEDULED_ID));
    }

    @Test
    @DisplayName("comes again as often as it is told to")
    void repeat() throws Exception {
        Queue queue = queue();
        MessageConsumer consumer = session.createConsumer(queue);
        TextMessage message = delayed("x", 500);
        message.setLongProperty(ScheduledMessage.AMQ_SCHEDULED_PERIOD, 500);
        message.setIntProperty(ScheduledMessage.AMQ_SCHEDULED_REPEAT, 2);
        session.createProducer(queue).send(message);
        for (int n = 0; n < 3; n++) {
            assertEquals("x", receive(consumer));
        }
        assertNull(consumer.receive(1000));
    }

    @Test
    @DisplayName("goes to every subscriber of a topic")
    void topics() throws Exception {
        Topic topic = topic();
        MessageConsumer one = session.createConsumer(topic);
        MessageConsumer two = session.createConsumer(topic);
        session.createProducer(topic).send(delayed("x", 300));
        assertEquals("x", receive(one));
        assertEquals("x", receive(two));
    }

    @Test
    @DisplayName("of a transaction is scheduled when that is committed, and not when it is rolled back")
    void transactions() throws Exception {
        Queue queue = queue();
        Session transacted = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageProducer producer = transacted.createProducer(queue);
        producer.send(delayed("lost", 200));
        transacted.rollback();
        producer.send(delayed("kept", 200));
        transacted.commit();
        MessageConsumer consumer = session.createConsumer(queue);
        assertEquals("kept", receive(consumer));
        assertNull(consumer.receive(1000));
    }

    @Test
    @DisplayName("is found by who browses the schedule, and can be removed")
    void manage() throws Exception {
        String text = name();
        Queue queue = queue();
        session.createProducer(queue).send(delayed(text, 60_000));
        String id = job(text);
        assertNotNull(id);
        Message removal = ask(ScheduledMessage.AMQ_SCHEDULER_ACTION_REMOVE);
        removal.setStringProperty(ScheduledMessage.AMQ_SCHEDULED_ID, id);
        scheduler().send(removal);
        eventually("it is removed", () -> job(text) == null);
    }

    @Test
    @DisplayName("may be told by the calendar when to come")
    void cron() throws Exception {
        String text = name();
        TextMessage message = session.createTextMessage(text);
        message.setStringProperty(ScheduledMessage.AMQ_SCHEDULED_CRON, "0 0 1 1 *");
        session.createProducer(queue()).send(message);
        assertNotNull(job(text));
    }
}
