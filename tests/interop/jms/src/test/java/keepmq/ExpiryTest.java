package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.util.Collections;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("An expired message")
class ExpiryTest extends Jms {
    private String expire(Destination destination, int mode) throws Exception {
        String mark = name();
        session.createProducer(destination).send(marked(mark), mode, 4, 50);
        Thread.sleep(MOMENT);
        return mark;
    }

    @Test
    @DisplayName("becomes a dead letter that says when it expired")
    void deadLetter() throws Exception {
        Queue queue = queue();
        TextMessage message = marked(name());
        session.createProducer(queue).send(message, DeliveryMode.PERSISTENT, 4, 50);
        Thread.sleep(MOMENT);
        assertNull(receiveNone(session.createConsumer(queue)));
        Message letter = letter(message.getText(), PATIENCE);
        assertNotNull(letter);
        assertEquals(0, letter.getJMSExpiration());
        assertEquals(message.getJMSExpiration(), letter.getLongProperty("originalExpiration"));
    }

    @Test
    @DisplayName("is dropped when it is not persistent")
    void dropped() throws Exception {
        Queue queue = queue();
        String mark = expire(queue, DeliveryMode.NON_PERSISTENT);
        assertNull(receiveNone(session.createConsumer(queue)));
        assertNull(letter(mark, MOMENT));
    }

    @Test
    @DisplayName("is not handed out by a consumer that has it already")
    void prefetched() throws Exception {
        Queue queue = queue();
        MessageConsumer consumer = session.createConsumer(queue);
        String mark = expire(queue, DeliveryMode.PERSISTENT);
        assertNull(receiveNone(consumer));
        assertNotNull(letter(mark, PATIENCE));
    }

    @Test
    @DisplayName("is not kept for a durable subscription")
    void durable() throws Exception {
        Topic topic = topic();
        Session theirs = auto(named(name()));
        theirs.createDurableSubscriber(topic, "s").close();
        expire(topic, DeliveryMode.PERSISTENT);
        send(topic, "new");
        assertEquals("new", receive(theirs.createDurableSubscriber(topic, "s")));
    }

    @Test
    @DisplayName("is not seen by browsers")
    void browsed() throws Exception {
        Queue queue = queue();
        expire(queue, DeliveryMode.PERSISTENT);
        assertEquals(0, Collections.list(session.createBrowser(queue).getEnumeration()).size());
    }

    @Test
    @DisplayName("is told from one that lives by what its producer sets")
    void timeToLive() throws Exception {
        Queue queue = queue();
        MessageProducer producer = session.createProducer(queue);
        producer.setTimeToLive(60_000);
        producer.send(session.createMessage());
        producer.setTimeToLive(0);
        producer.send(session.createMessage());
        MessageConsumer consumer = session.createConsumer(queue);
        Message got = consumer.receive(PATIENCE);
        assertEquals(got.getJMSTimestamp() + 60_000, got.getJMSExpiration());
        assertEquals(0, consumer.receive(PATIENCE).getJMSExpiration());
    }
}
