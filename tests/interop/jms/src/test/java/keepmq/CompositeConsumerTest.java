package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A consumer of several destinations")
class CompositeConsumerTest extends Jms {
    @Test
    @DisplayName("takes from each of several queues, and acknowledges there")
    void queues() throws Exception {
        String one = name();
        String two = name();
        send(session.createQueue(one), "a");
        MessageConsumer consumer = session.createConsumer(session.createQueue(one + "," + two));
        assertEquals("a", receive(consumer));
        send(session.createQueue(two), "b");
        Message got = consumer.receive(PATIENCE);
        assertEquals("b", text(got));
        assertEquals(session.createQueue(two), got.getJMSDestination());
        consumer.close();
        assertNull(receiveNone(session.createConsumer(session.createQueue(one))));
        assertNull(receiveNone(session.createConsumer(session.createQueue(two))));
    }

    @Test
    @DisplayName("hears each of several topics")
    void topics() throws Exception {
        String one = name();
        String two = name();
        MessageConsumer consumer = session.createConsumer(session.createTopic(one + "," + two));
        send(session.createTopic(one), "a");
        send(session.createTopic(two), "b");
        assertEquals(Set.of("a", "b"), Set.of(receive(consumer), receive(consumer)));
    }
}
