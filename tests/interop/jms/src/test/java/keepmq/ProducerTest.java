package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.activemq.ActiveMQMessageProducer;
import org.apache.activemq.AsyncCallback;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A producer")
class ProducerTest extends Jms {
    @Test
    @DisplayName("goes on when its window is smaller than a message")
    void smallWindow() throws Exception {
        Session theirs = auto(with("jms.producerWindowSize=100&jms.useAsyncSend=true"));
        Queue queue = queue();
        MessageProducer producer = theirs.createProducer(queue);
        for (int n = 0; n < 20; n++) {
            producer.send(theirs.createTextMessage("m" + n));
        }
        MessageConsumer consumer = session.createConsumer(queue);
        for (int n = 0; n < 20; n++) {
            assertEquals("m" + n, receive(consumer));
        }
    }

    @Test
    @DisplayName("is called back when a message is there")
    void callback() throws Exception {
        Queue queue = queue();
        ActiveMQMessageProducer producer = (ActiveMQMessageProducer) session.createProducer(queue);
        CompletableFuture<Boolean> done = new CompletableFuture<>();
        producer.send(session.createTextMessage("x"), new AsyncCallback() {
            @Override
            public void onSuccess() {
                done.complete(true);
            }

            @Override
            public void onException(JMSException exception) {
                done.completeExceptionally(exception);
            }
        });
        assertTrue(done.get(PATIENCE, TimeUnit.MILLISECONDS));
        assertEquals("x", receive(session.createConsumer(queue)));
    }

    @Test
    @DisplayName("gives each message what it is set to: mode, priority and no timestamp")
    void settings() throws Exception {
        Queue queue = queue();
        MessageProducer producer = session.createProducer(queue);
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        producer.setDisableMessageTimestamp(true);
        MessageConsumer consumer = session.createConsumer(queue);
        for (int priority = 0; priority <= 9; priority++) {
            producer.setPriority(priority);
            producer.send(session.createMessage());
            Message got = consumer.receive(PATIENCE);
            assertEquals(priority, got.getJMSPriority());
            assertEquals(DeliveryMode.NON_PERSISTENT, got.getJMSDeliveryMode());
            assertEquals(0, got.getJMSTimestamp());
        }
    }

    @Test
    @DisplayName("may send one message twice, and change it afterwards")
    void again() throws Exception {
        Queue queue = queue();
        MessageProducer producer = session.createProducer(queue);
        TextMessage message = session.createTextMessage("a");
        producer.send(message);
        message.setText("b");
        producer.send(message);
        message.setText("c");
        MessageConsumer consumer = session.createConsumer(queue);
        Message first = consumer.receive(PATIENCE);
        Message second = consumer.receive(PATIENCE);
        assertEquals("a", text(first));
        assertEquals("b", text(second));
        assertNotEquals(first.getJMSMessageID(), second.getJMSMessageID());
    }

    @Test
    @DisplayName("waits for the broker's answer, when it is told always to")
    void alwaysSync() throws Exception {
        Session theirs = auto(with("jms.alwaysSyncSend=true&jms.sendTimeout=5000"));
        Queue queue = queue();
        MessageProducer producer = theirs.createProducer(queue);
        producer.send(theirs.createTextMessage("x"), DeliveryMode.NON_PERSISTENT, 4, 0);
        assertEquals("x", receive(session.createConsumer(queue)));
    }

    @Test
    @DisplayName("keeps groups, whoever reads them")
    void groups() throws Exception {
        Queue queue = queue();
        Message message = session.createMessage();
        message.setStringProperty("JMSXGroupID", "g");
        message.setIntProperty("JMSXGroupSeq", 1);
        session.createProducer(queue).send(message);
        Message got = session.createConsumer(queue).receive(PATIENCE);
        assertEquals("g", got.getStringProperty("JMSXGroupID"));
        assertEquals(1, got.getIntProperty("JMSXGroupSeq"));
    }
}
