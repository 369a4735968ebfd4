package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.activemq.ActiveMQConnection;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A queue")
class QueueTest extends Jms {
    private int browsed(Queue queue, String selector) throws JMSException {
        try (QueueBrowser browser = session.createBrowser(queue, selector)) {
            return Collections.list(browser.getEnumeration()).size();
        }
    }

    @Test
    @DisplayName("keeps the order of what is sent")
    void order() throws Exception {
        Queue queue = queue();
        MessageConsumer consumer = session.createConsumer(queue);
        for (int n = 0; n < 200; n++) {
            send(queue, "m" + n);
        }
        for (int n = 0; n < 200; n++) {
            assertEquals("m" + n, receive(consumer));
        }
    }

    @Test
    @DisplayName("shares its messages between consumers")
    void competing() throws Exception {
        Queue queue = session.createQueue(name() + "?consumer.prefetchSize=1");
        MessageConsumer one = session.createConsumer(queue);
        MessageConsumer two = another().createSession(false, Session.AUTO_ACKNOWLEDGE).createConsumer(queue);
        send(queue, "a", "b");
        assertEquals(Set.of("a", "b"), new TreeSet<>(Set.of(receive(one), receive(two))));
    }

    @Test
    @DisplayName("is browsed without losing anything, and an empty one too")
    void browse() throws Exception {
        Queue queue = queue();
        assertEquals(0, browsed(queue, null));
        send(queue, "a", "b", "c");
        assertEquals(3, browsed(queue, null));
        assertEquals(3, browsed(queue, null));
        assertEquals("a", receive(session.createConsumer(queue)));
    }

    @Test
    @DisplayName("is browsed by a selector, and with a window that is smaller than it")
    void browseSome() throws Exception {
        Queue queue = session.createQueue(name());
        MessageProducer producer = session.createProducer(queue);
        for (int n = 0; n < 30; n++) {
            Message message = session.createMessage();
            message.setIntProperty("n", n);
            producer.send(message);
        }
        assertEquals(10, browsed(queue, "n >= 20"));
        assertEquals(30, browsed(session.createQueue(queue.getQueueName() + "?consumer.prefetchSize=3"), null));
    }

    @Test
    @DisplayName("gives a consumer what its selector wants, and the rest to others")
    void selector() throws Exception {
        Queue queue = queue();
        MessageConsumer red = session.createConsumer(queue, "color = 'red' AND weight > 2");
        MessageProducer producer = session.createProducer(queue);
        for (int weight = 1; weight <= 4; weight++) {
            TextMessage message = session.createTextMessage("m" + weight);
            message.setStringProperty("color", weight % 2 == 0 ? "red" : "blue");
            message.setIntProperty("weight", weight);
            producer.send(message);
        }
        assertEquals("m4", receive(red));
        assertNull(receiveNone(red));
        red.close();
        MessageConsumer rest = session.createConsumer(queue);
        assertEquals("m1", receive(rest));
        assertEquals("m2", receive(rest));
        assertEquals("m3", receive(rest));
    }

    @Test
    @DisplayName("selects by headers as well")
    void headerSelector() throws Exception {
        Queue queue = queue();
        MessageConsumer consumer = session.createConsumer(queue, "JMSPriority = 8 AND JMSType = 't' AND JMSCorrelationID LIKE 'c_'");
        TextMessage message = session.createTextMessage("x");
        message.setJMSType("t");
        message.setJMSCorrelationID("c1");
        session.createProducer(queue).send(message, DeliveryMode.PERSISTENT, 8, 0);
        assertEquals("x", receive(consumer));
    }

    @Test
    @DisplayName("refuses a selector that is none")
    void badSelector() {
        assertThrows(InvalidSelectorException.class, () -> session.createConsumer(queue(), "color = "));
    }

    @Test
    @DisplayName("answers at once, or in time, when there is nothing")
    void nothing() throws Exception {
        for (String options : new String[] {"", "?consumer.prefetchSize=0", "?consumer.prefetchSize=1"}) {
            MessageConsumer consumer = session.createConsumer(session.createQueue(name() + options));
            assertNull(consumer.receiveNoWait(), options);
            long before = System.nanoTime();
            assertNull(consumer.receive(300), options);
            assertTrue(System.nanoTime() - before >= TimeUnit.MILLISECONDS.toNanos(290), options);
        }
    }

    @Test
    @DisplayName("is read message by message by who asks for each")
    void pull() throws Exception {
        String name = name();
        MessageConsumer asking = session.createConsumer(session.createQueue(name + "?consumer.prefetchSize=0"));
        send(session.createQueue(name), "a", "b", "c");
        assertEquals("a", text(asking.receiveNoWait()));
        assertEquals("b", receive(asking));
        MessageConsumer other = another().createSession(false, Session.AUTO_ACKNOWLEDGE)
            .createConsumer(session.createQueue(name));
        assertEquals("c", receive(other), "nothing was taken that was not asked for");
    }

    @Test
    @DisplayName("by a name of several is all of them")
    void composite() throws Exception {
        String one = name();
        String two = name();
        String three = name();
        MessageConsumer topic = session.createConsumer(session.createTopic(three));
        send(session.createQueue(one + "," + two + ",topic://" + three), "x");
        Message got = session.createConsumer(session.createQueue(one)).receive(PATIENCE);
        assertEquals("x", text(got));
        assertEquals(session.createQueue(one), got.getJMSDestination());
        assertEquals("x", receive(session.createConsumer(session.createQueue(two))));
        assertEquals("x", receive(topic));
    }

    @Test
    @DisplayName("by a wildcard is all that match, those to come too")
    void wildcard() throws Exception {
        String base = name();
        send(session.createQueue(base + ".early"), "a");
        MessageConsumer consumer = session.createConsumer(session.createQueue(base + ".>"));
        assertEquals("a", receive(consumer));
        send(session.createQueue(base + ".late.x"), "b");
        Message got = consumer.receive(PATIENCE);
        assertEquals("b", text(got));
        assertEquals(session.createQueue(base + ".late.x"), got.getJMSDestination());
    }

    @Test
    @DisplayName("serves an exclusive consumer alone, and the next when it goes")
    void exclusive() throws Exception {
        String name = name();
        Queue exclusive = session.createQueue(name + "?consumer.exclusive=true");
        MessageConsumer first = session.createConsumer(exclusive);
        MessageConsumer second = another().createSession(false, Session.AUTO_ACKNOWLEDGE).createConsumer(exclusive);
        send(session.createQueue(name), "a", "b");
        assertEquals("a", receive(first));
        assertEquals("b", receive(first));
        first.close();
        send(session.createQueue(name), "c");
        assertEquals("c", receive(second));
    }

    @Test
    @DisplayName("serves consumers of a higher priority first")
    void consumerPriority() throws Exception {
        String name = name();
        MessageConsumer low = session.createConsumer(session.createQueue(name));
        MessageConsumer high = another().createSession(false, Session.AUTO_ACKNOWLEDGE)
            .createConsumer(session.createQueue(name + "?consumer.priority=10"));
        send(session.createQueue(name), "a", "b");
        assertEquals("a", receive(high));
        assertEquals("b", receive(high));
        assertNull(receiveNone(low));
    }

    @Test
    @DisplayName("feeds listeners")
    void listeners() throws Exception {
        Queue queue = queue();
        CountDownLatch all = new CountDownLatch(500);
        session.createConsumer(queue).setMessageListener(message -> all.countDown());
        Session other = another().createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = other.createProducer(queue);
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        for (int n = 0; n < 500; n++) {
            producer.send(other.createTextMessage("m" + n));
        }
        assertTrue(all.await(10, TimeUnit.SECONDS));
    }

    @Test
    @DisplayName("takes what is sent by a producer without a destination, and by one with a window")
    void producers() throws Exception {
        Queue queue = queue();
        session.createProducer(null).send(queue, session.createTextMessage("anonymous"));
        ActiveMQConnection other = closedWithTest(Broker.start(
            Broker.factory("jms.producerWindowSize=3000&jms.useAsyncSend=true")));
        Session theirs = other.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = theirs.createProducer(queue);
        for (int n = 0; n < 20; n++) {
            producer.send(theirs.createTextMessage("m" + n));
        }
        MessageConsumer consumer = session.createConsumer(queue);
        assertEquals("anonymous", receive(consumer));
        for (int n = 0; n < 20; n++) {
            assertEquals("m" + n, receive(consumer));
        }
    }
}
