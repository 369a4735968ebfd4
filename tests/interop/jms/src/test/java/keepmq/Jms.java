package keepmq;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.Connection;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import jakarta.jms.Topic;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.RedeliveryPolicy;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A connection and a session for each test, and destinations of its own. */
abstract class Jms {
    /** Milliseconds to wait for what must come. */
    static final long PATIENCE = 5000;
    /** Milliseconds to wait for what must not come. */
    static final long MOMENT = 200;

    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final String RUN = Long.toString(System.nanoTime(), 36);

    ActiveMQConnection connection;
    Session session;
    private final List<ActiveMQConnection> others = new ArrayList<>();

    @BeforeEach
    void open() throws Exception {
        connection = Broker.connect();
        session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    }

    @AfterEach
    void close() throws JMSException {
        connection.close();
        for (ActiveMQConnection other : others) {
            try {
                other.close();
            } catch (JMSException e) {
                assertTrue(other.isTransportFailed(), () -> "could not be closed: " + e);
            }
        }
    }

    /** A further connection, which is closed with the test. */
    ActiveMQConnection another() throws Exception {
        return closedWithTest(Broker.connect());
    }

    ActiveMQConnection closedWithTest(ActiveMQConnection other) {
        others.add(other);
        return other;
    }

    /** A further connection with these options. */
    ActiveMQConnection with(String options) throws Exception {
        return closedWithTest(Broker.start(Broker.factory(options)));
    }

    /** A further connection with this client id. */
    ActiveMQConnection named(String clientId) throws Exception {
        ActiveMQConnection other = closedWithTest((ActiveMQConnection) Broker.factory("").createConnection());
        other.setClientID(clientId);
        other.start();
        return other;
    }

    static Session auto(Connection connection) throws JMSException {
        return connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    }

    /** Sends the messages of this connection's later sessions again at once, and so often at most. */
    void redeliverAtOnce(int times) {
        RedeliveryPolicy policy = new RedeliveryPolicy();
        policy.setInitialRedeliveryDelay(0);
        policy.setRedeliveryDelay(0);
        policy.setMaximumRedeliveries(times);
        connection.setRedeliveryPolicy(policy);
    }

    /** A message that is known again by its mark in the queue of dead letters. */
    TextMessage marked(String mark) throws JMSException {
        TextMessage message = session.createTextMessage(mark);
        message.setStringProperty("mark", mark);
        return message;
    }

    /** Takes the dead letter with a mark; null when there is none within the time in milliseconds. */
    Message letter(String mark, long wait) throws JMSException {
        MessageConsumer dead = session.createConsumer(session.createQueue("ActiveMQ.DLQ"), "mark = '" + mark + "'");
        Message letter = dead.receive(wait);
        dead.close();
        return letter;
    }

    /** Waits until something is so, and fails when it never is. */
    static void eventually(String what, Callable<Boolean> so) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE);
        while (!so.call()) {
            assertTrue(System.nanoTime() < deadline, what);
            Thread.sleep(10);
        }
    }

    static String name() {
        return "jms." + RUN + "." + COUNT.incrementAndGet();
    }

    Queue queue() throws JMSException {
        return session.createQueue(name());
    }

    Topic topic() throws JMSException {
        return session.createTopic(name());
    }

    void send(Destination destination, String... texts) throws JMSException {
        MessageProducer producer = session.createProducer(destination);
        for (String text : texts) {
            producer.send(session.createTextMessage(text));
        }
        producer.close();
    }

    static String text(Message message) throws JMSException {
        assertNotNull(message, "no message came");
        return ((TextMessage) message).getText();
    }

    static String receive(MessageConsumer consumer) throws JMSException {
        return text(consumer.receive(PATIENCE));
    }

    static Message receiveNone(MessageConsumer consumer) throws JMSException {
        return consumer.receive(MOMENT);
    }
}
