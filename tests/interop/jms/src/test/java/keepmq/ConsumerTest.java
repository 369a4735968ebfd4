package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A consumer")
class ConsumerTest extends Jms {
    @Test
    @DisplayName("that is slow holds no more than its prefetch")
    void slow() throws Exception {
        Queue queue = queue();
        CountDownLatch busy = new CountDownLatch(1);
        CountDownLatch free = new CountDownLatch(1);
        auto(with("jms.prefetchPolicy.all=1")).createConsumer(queue).setMessageListener(message -> {
            busy.countDown();
            try {
                free.await(PATIENCE, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                throw new RuntimeException(e);
            }
        });
        send(queue, "held");
        assertTrue(busy.await(PATIENCE, TimeUnit.MILLISECONDS));
        MessageConsumer quick = session.createConsumer(queue);
        send(queue, "a", "b", "c", "d");
        assertEquals("a", receive(quick));
        assertEquals("b", receive(quick));
        assertEquals("c", receive(quick));
        assertEquals("d", receive(quick));
        free.countDown();
    }

    @Test
    @DisplayName("leaves what it fetched and did not hand out, in order and not redelivered")
    void leaves() throws Exception {
        Queue queue = queue();
        MessageConsumer first = session.createConsumer(queue);
        send(queue, "a", "b", "c");
        first.close();
        MessageConsumer next = session.createConsumer(queue);
        for (String text : new String[] {"a", "b", "c"}) {
            Message got = next.receive(PATIENCE);
            assertEquals(text, text(got));
            assertFalse(got.getJMSRedelivered());
        }
    }

    @Test
    @DisplayName("has no listener when it asks for each message")
    void pullListener() throws Exception {
        MessageConsumer consumer = session.createConsumer(session.createQueue(name() + "?consumer.prefetchSize=0"));
        assertThrows(JMSException.class, () -> consumer.setMessageListener(message -> {}));
    }

    @Test
    @DisplayName("asks for each message in a transaction too")
    void pullTransacted() throws Exception {
        Session transacted = with("jms.prefetchPolicy.all=0&jms.redeliveryPolicy.initialRedeliveryDelay=0")
            .createSession(true, Session.SESSION_TRANSACTED);
        Queue queue = queue();
        send(queue, "a", "b");
        MessageConsumer consumer = transacted.createConsumer(queue);
        assertEquals("a", receive(consumer));
        transacted.rollback();
        assertEquals("a", receive(consumer));
        assertEquals("b", receive(consumer));
        transacted.commit();
        assertNull(consumer.receiveNoWait());
    }

    @Test
    @DisplayName("waits for its turn within its session, and not for other sessions")
    void sessions() throws Exception {
        Queue queue = queue();
        AtomicInteger together = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        CountDownLatch all = new CountDownLatch(20);
        MessageListener listener = message -> {
            most.accumulateAndGet(together.incrementAndGet(), Math::max);
            Thread.onSpinWait();
            together.decrementAndGet();
            all.countDown();
        };
        Session theirs = auto(another());
        theirs.createConsumer(queue).setMessageListener(listener);
        theirs.createConsumer(queue).setMessageListener(listener);
        for (int n = 0; n < 20; n++) {
            send(queue, "m" + n);
        }
        assertTrue(all.await(PATIENCE, TimeUnit.MILLISECONDS));
        assertEquals(1, most.get());
    }

    @Test
    @DisplayName("that acknowledges in bulk leaves nothing")
    void optimized() throws Exception {
        Queue queue = queue();
        var other = with("jms.optimizeAcknowledge=true");
        MessageConsumer consumer = auto(other).createConsumer(queue);
        for (int n = 0; n < 30; n++) {
            send(queue, "m" + n);
        }
        for (int n = 0; n < 30; n++) {
            assertEquals("m" + n, receive(consumer));
        }
        other.close();
        assertNull(receiveNone(session.createConsumer(queue)));
    }

    @Test
    @DisplayName("that is exclusive goes before one that is not")
    void exclusive() throws Exception {
        String name = name();
        MessageConsumer ordinary = session.createConsumer(session.createQueue(name));
        MessageConsumer exclusive = session.createConsumer(session.createQueue(name + "?consumer.exclusive=true"));
        send(session.createQueue(name), "a", "b");
        assertEquals("a", receive(exclusive));
        assertEquals("b", receive(exclusive));
        assertNull(receiveNone(ordinary));
    }
}
