package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.transport.DefaultTransportListener;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The failover transport")
class FailoverTest extends Jms {
    private static final String OPTIONS = "?initialReconnectDelay=20&maxReconnectDelay=100&useExponentialBackOff=false";

    private Cable cable;

    @BeforeEach
    void plug() throws IOException {
        cable = new Cable();
    }

    /** A connection that cannot come to its broker does not close. */
    @Override
    @AfterEach
    void close() throws JMSException {
        cable.plugIn();
        super.close();
        cable.close();
    }

    private ActiveMQConnectionFactory factory(String more) throws Exception {
        ActiveMQConnectionFactory factory = Broker.withTrust("failover:(" + cable.url() + ")" + OPTIONS + more);
        factory.getRedeliveryPolicy().setInitialRedeliveryDelay(0);
        return factory;
    }

    private ActiveMQConnection surviving() throws Exception {
        return closedWithTest(Broker.start(factory("")));
    }

    /** Cuts the way and waits until the connection has found it again. */
    private void cut(ActiveMQConnection connection) throws Exception {
        CountDownLatch interrupted = new CountDownLatch(1);
        CountDownLatch resumed = new CountDownLatch(1);
        connection.addTransportListener(new DefaultTransportListener() {
            @Override
            public void transportInterupted() {
                interrupted.countDown();
            }

            @Override
            public void transportResumed() {
                resumed.countDown();
            }
        });
        cable.cut();
        assertTrue(interrupted.await(PATIENCE, TimeUnit.MILLISECONDS), "interrupted");
        assertTrue(resumed.await(PATIENCE, TimeUnit.MILLISECONDS), "resumed");
    }

    @Test
    @DisplayName("goes past an address where nobody is")
    void deadAddress() throws Exception {
        String dead = Broker.address().getScheme() + "://localhost:1";
        ActiveMQConnection other = closedWithTest(Broker.start(Broker.withTrust(
            "failover:(" + dead + "," + cable.url() + ")" + OPTIONS + "&randomize=false")));
        Session theirs = auto(other);
        Queue queue = queue();
        theirs.createProducer(queue).send(theirs.createTextMessage("x"));
        assertEquals("x", receive(theirs.createConsumer(queue)));
    }

    @Test
    @DisplayName("gives up after as many tries as it is told")
    void givesUp() throws Exception {
        String dead = Broker.address().getScheme() + "://localhost:1";
        ActiveMQConnectionFactory factory =
            Broker.withTrust("failover:(" + dead + ")" + OPTIONS + "&startupMaxReconnectAttempts=2");
        try (Connection other = factory.createConnection()) {
            assertThrows(JMSException.class, other::start);
        }
    }

    @Test
    @DisplayName("waits for a broker that comes later")
    void later() throws Exception {
        cable.pull();
        Thread plugger = new Thread(() -> {
            try {
                Thread.sleep(300);
            } catch (InterruptedException e) {
                return;
            }
            cable.plugIn();
        });
        plugger.start();
        Session theirs = auto(surviving());
        theirs.createProducer(queue()).send(theirs.createMessage());
        plugger.join();
    }

    @Test
    @DisplayName("brings a consumer back")
    void consumer() throws Exception {
        ActiveMQConnection other = surviving();
        Queue queue = queue();
        MessageConsumer consumer = auto(other).createConsumer(queue);
        send(queue, "before");
        assertEquals("before", receive(consumer));
        cut(other);
        send(queue, "after");
        assertEquals("after", receive(consumer));
        assertNull(receiveNone(consumer));
    }

    @Test
    @DisplayName("brings a listener back each time")
    void listener() throws Exception {
        ActiveMQConnection other = surviving();
        Queue queue = queue();
        var seen = new java.util.concurrent.LinkedBlockingQueue<String>();
        auto(other).createConsumer(queue).setMessageListener(message -> {
            try {
                seen.add(text(message));
            } catch (JMSException e) {
                throw new RuntimeException(e);
            }
        });
        for (int round = 0; round < 3; round++) {
            send(queue, "m" + round);
            assertEquals("m" + round, seen.poll(PATIENCE, TimeUnit.MILLISECONDS));
            cut(other);
        }
    }

    @Test
    @DisplayName("brings a producer back, and sends each message once")
    void producer() throws Exception {
        ActiveMQConnection other = surviving();
        Session theirs = auto(other);
        Queue queue = queue();
        MessageProducer producer = theirs.createProducer(queue);
        for (int n = 0; n < 60; n++) {
            if (n % 20 == 10) {
                cable.cut();
            }
            producer.send(theirs.createTextMessage("m" + n));
        }
        MessageConsumer consumer = session.createConsumer(queue);
        for (int n = 0; n < 60; n++) {
            assertEquals("m" + n, receive(consumer));
        }
        assertNull(receiveNone(consumer));
    }

    @Test
    @DisplayName("holds a send back while the broker is away")
    void held() throws Exception {
        ActiveMQConnection other = surviving();
        Session theirs = auto(other);
        Queue queue = queue();
        MessageProducer producer = theirs.createProducer(queue);
        cable.pull();
        CountDownLatch sent = new CountDownLatch(1);
        Thread sender = new Thread(() -> {
            try {
                producer.send(theirs.createTextMessage("x"));
                sent.countDown();
            } catch (JMSException e) {
                throw new RuntimeException(e);
            }
        });
        sender.start();
        assertFalse(sent.await(MOMENT, TimeUnit.MILLISECONDS));
        cable.plugIn();
        assertTrue(sent.await(PATIENCE, TimeUnit.MILLISECONDS));
        assertEquals("x", receive(session.createConsumer(queue)));
    }

    @Test
    @DisplayName("ends a send that waits too long, when it is told how long")
    void timeout() throws Exception {
        ActiveMQConnection other = closedWithTest(Broker.start(factory("&timeout=200")));
        Session theirs = auto(other);
        MessageProducer producer = theirs.createProducer(queue());
        CountDownLatch interrupted = new CountDownLatch(1);
        other.addTransportListener(new DefaultTransportListener() {
            @Override
            public void transportInterupted() {
                interrupted.countDown();
            }
        });
        cable.pull();
        assertTrue(interrupted.await(PATIENCE, TimeUnit.MILLISECONDS), "interrupted");
        assertThrows(JMSException.class, () -> producer.send(theirs.createMessage()));
        cable.plugIn();
    }

    @Test
    @DisplayName("sends the messages of an open transaction again")
    void transactedSends() throws Exception {
        ActiveMQConnection other = surviving();
        Session transacted = other.createSession(true, Session.SESSION_TRANSACTED);
        Queue queue = queue();
        MessageProducer producer = transacted.createProducer(queue);
        producer.send(transacted.createTextMessage("a"));
        cut(other);
        producer.send(transacted.createTextMessage("b"));
        transacted.commit();
        MessageConsumer consumer = session.createConsumer(queue);
        assertEquals("a", receive(consumer));
        assertEquals("b", receive(consumer));
        assertNull(receiveNone(consumer));
    }

    @Test
    @DisplayName("loses no message that was received in a transaction")
    void transactedReceives() throws Exception {
        ActiveMQConnection other = surviving();
        Session transacted = other.createSession(true, Session.SESSION_TRANSACTED);
        Queue queue = queue();
        send(queue, "a");
        MessageConsumer consumer = transacted.createConsumer(queue);
        assertEquals("a", receive(consumer));
        cut(other);
        try {
            transacted.commit();
        } catch (TransactionRolledBackException e) {
            assertEquals("a", receive(consumer));
            transacted.commit();
        }
        other.close();
        assertNull(receiveNone(session.createConsumer(queue)));
    }

    @Test
    @DisplayName("gives a message again that was not acknowledged when it broke")
    void unacknowledged() throws Exception {
        ActiveMQConnection other = surviving();
        Session manual = other.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        Queue queue = queue();
        send(queue, "a");
        MessageConsumer consumer = manual.createConsumer(queue);
        assertEquals("a", receive(consumer));
        cut(other);
        manual.recover();
        Message again = consumer.receive(PATIENCE);
        assertEquals("a", text(again));
        assertTrue(again.getJMSRedelivered());
        again.acknowledge();
    }

    @Test
    @DisplayName("brings a durable subscription back with what came meanwhile")
    void durable() throws Exception {
        ActiveMQConnection other = closedWithTest((ActiveMQConnection) factory("").createConnection());
        other.setClientID(name());
        other.start();
        Topic topic = topic();
        TopicSubscriber subscriber = auto(other).createDurableSubscriber(topic, "s");
        send(topic, "before");
        assertEquals("before", receive(subscriber));
        cable.pull();
        send(topic, "meanwhile");
        cable.plugIn();
        assertEquals("meanwhile", receive(subscriber));
    }

    @Test
    @DisplayName("brings a temporary queue back")
    void temporary() throws Exception {
        ActiveMQConnection other = surviving();
        Session theirs = auto(other);
        TemporaryQueue replies = theirs.createTemporaryQueue();
        MessageConsumer consumer = theirs.createConsumer(replies);
        cut(other);
        eventually("it is there again", () -> {
            try {
                send(replies, "answer");
                return true;
            } catch (JMSException e) {
                return false;
            }
        });
        assertEquals("answer", receive(consumer));
    }

    @Test
    @DisplayName("keeps the client id its own")
    void clientId() throws Exception {
        String id = name();
        ActiveMQConnection other = closedWithTest((ActiveMQConnection) factory("").createConnection());
        other.setClientID(id);
        other.start();
        cut(other);
        try (Connection second = Broker.factory("").createConnection()) {
            assertThrows(InvalidClientIDException.class, () -> {
                second.setClientID(id);
                second.start();
            });
        }
    }

    @Test
    @DisplayName("does not hide a wrong password")
    void wrongPassword() throws Exception {
        ActiveMQConnectionFactory factory = factory("&startupMaxReconnectAttempts=2");
        factory.setPassword("wrong");
        try (Connection other = factory.createConnection()) {
            assertThrows(JMSSecurityException.class, other::start);
        }
    }
}
