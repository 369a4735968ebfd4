package keepmq;

import static org.junit.jupiter.api.Assertions.assertNotNull;

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
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.activemq.ActiveMQConnection;
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
            other.close();
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
