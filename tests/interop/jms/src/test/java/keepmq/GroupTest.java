package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A message group")
class GroupTest extends Jms {
    private void send(Queue queue, String group, int sequence, String text) throws JMSException {
        TextMessage message = session.createTextMessage(text);
        message.setStringProperty("JMSXGroupID", group);
        if (sequence != 0) {
            message.setIntProperty("JMSXGroupSeq", sequence);
        }
        MessageProducer producer = session.createProducer(queue);
        producer.send(message);
        producer.close();
    }

    @Test
    @DisplayName("goes to one consumer, in order")
    void together() throws Exception {
        Queue queue = queue();
        MessageConsumer one = session.createConsumer(queue);
        MessageConsumer two = auto(another()).createConsumer(queue);
        for (int n = 0; n < 10; n++) {
            send(queue, "g", 0, "m" + n);
        }
        Message first = one.receive(MOMENT);
        MessageConsumer owner = first == null ? two : one;
        int from = first == null ? 0 : 1;
        for (int n = from; n < 10; n++) {
            assertEquals("m" + n, receive(owner));
        }
        assertNull(receiveNone(owner == one ? two : one));
    }

    @Test
    @DisplayName("and another one are shared between consumers")
    void spread() throws Exception {
        Queue queue = queue();
        MessageConsumer one = session.createConsumer(queue);
        MessageConsumer two = auto(another()).createConsumer(queue);
        for (String group : new String[] {"g", "h", "g", "h"}) {
            send(queue, group, 0, group);
        }
        String mine = receive(one);
        assertEquals(mine, receive(one));
        assertNull(receiveNone(one));
        String theirs = mine.equals("g") ? "h" : "g";
        assertEquals(theirs, receive(two));
        assertEquals(theirs, receive(two));
    }

    @Test
    @DisplayName("goes to another consumer when its own is gone")
    void moves() throws Exception {
        Queue queue = queue();
        MessageConsumer one = session.createConsumer(queue);
        send(queue, "g", 0, "a");
        assertEquals("a", receive(one));
        MessageConsumer two = auto(another()).createConsumer(queue);
        send(queue, "g", 0, "b");
        assertEquals("b", receive(one));
        one.close();
        send(queue, "g", 0, "c");
        assertEquals("c", receive(two));
    }

    @Test
    @DisplayName("tells its consumer which message is the first")
    void first() throws Exception {
        Queue queue = queue();
        MessageConsumer consumer = session.createConsumer(queue);
        send(queue, "g", 0, "a");
        send(queue, "g", 0, "b");
        assertTrue(consumer.receive(PATIENCE).getBooleanProperty("JMSXGroupFirstForConsumer"));
        Message second = consumer.receive(PATIENCE);
        assertFalse(second.getBooleanProperty("JMSXGroupFirstForConsumer"));
        assertEquals("g", second.getStringProperty("JMSXGroupID"));
    }

    @Test
    @DisplayName("that is closed begins anew")
    void closed() throws Exception {
        Queue queue = queue();
        MessageConsumer consumer = session.createConsumer(queue);
        send(queue, "g", 1, "a");
        send(queue, "g", -1, "b");
        send(queue, "g", 0, "c");
        assertTrue(consumer.receive(PATIENCE).getBooleanProperty("JMSXGroupFirstForConsumer"));
        assertFalse(consumer.receive(PATIENCE).getBooleanProperty("JMSXGroupFirstForConsumer"));
        assertTrue(consumer.receive(PATIENCE).getBooleanProperty("JMSXGroupFirstForConsumer"));
    }
}
