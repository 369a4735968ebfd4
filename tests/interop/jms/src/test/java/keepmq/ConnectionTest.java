package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A connection")
class ConnectionTest extends Jms {
    @Test
    @DisplayName("speaks the newest version and tells who the broker is")
    void version() throws Exception {
        assertEquals(12, connection.getProtocolVersion());
        assertNotNull(connection.getBrokerName());
    }

    @Test
    @DisplayName("is refused with a wrong password")
    void wrongPassword() throws Exception {
        ActiveMQConnectionFactory factory = Broker.factory("");
        factory.setPassword("wrong");
        try (Connection other = factory.createConnection()) {
            assertThrows(JMSSecurityException.class, other::start);
        }
    }

    @Test
    @DisplayName("is refused when its client id is in use")
    void clientIdInUse() throws Exception {
        String id = name();
        ActiveMQConnection first = closedWithTest((ActiveMQConnection) Broker.factory("").createConnection());
        first.setClientID(id);
        first.start();
        try (Connection second = Broker.factory("").createConnection()) {
            assertThrows(InvalidClientIDException.class, () -> {
                second.setClientID(id);
                second.start();
            });
        }
    }

    @Test
    @DisplayName("can have a client id again that was given back")
    void clientIdAgain() throws Exception {
        String id = name();
        for (int round = 0; round < 3; round++) {
            try (Connection other = Broker.factory("").createConnection()) {
                other.setClientID(id);
                other.start();
            }
        }
    }

    @Test
    @DisplayName("speaks the loose encoding, without a cache")
    void loose() throws Exception {
        String options = "wireFormat.tightEncodingEnabled=false&wireFormat.cacheEnabled=false";
        roundTrip(Broker.factory(options));
    }

    @Test
    @DisplayName("speaks every version from 1 to 12")
    void versions() throws Exception {
        for (int version = 1; version <= 12; version++) {
            roundTrip(Broker.factory("wireFormat.version=" + version));
        }
    }

    @Test
    @DisplayName("comes by the failover transport")
    void failover() throws Exception {
        roundTrip(Broker.failover());
    }

    private void roundTrip(ActiveMQConnectionFactory factory) throws Exception {
        ActiveMQConnection other = closedWithTest(Broker.start(factory));
        Session theirs = other.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = theirs.createQueue(name());
        TextMessage message = theirs.createTextMessage("hello");
        message.setStringProperty("color", "blue");
        theirs.createProducer(queue).send(message);
        Message got = theirs.createConsumer(queue).receive(PATIENCE);
        assertEquals("hello", text(got));
        assertEquals("blue", got.getStringProperty("color"));
    }

    @Test
    @DisplayName("that is closed has its messages given to others")
    void closed() throws Exception {
        Queue queue = queue();
        ActiveMQConnection other = another();
        MessageConsumer holder = other.createSession(false, Session.CLIENT_ACKNOWLEDGE).createConsumer(queue);
        send(queue, "x");
        assertEquals("x", receive(holder));
        other.close();
        Message again = session.createConsumer(queue).receive(PATIENCE);
        assertEquals("x", text(again));
        assertTrue(again.getJMSRedelivered());
    }

    @Test
    @DisplayName("with the inactivity monitor off works as well")
    void noMonitor() throws Exception {
        roundTrip(Broker.factory("wireFormat.maxInactivityDuration=0"));
    }

    @Test
    @DisplayName("that is silent for longer than the monitor allows stays open")
    void keepAlive() throws Exception {
        ActiveMQConnection other = closedWithTest(Broker.start(Broker.factory(
            "wireFormat.maxInactivityDuration=600&wireFormat.maxInactivityDurationInitalDelay=100")));
        Session theirs = other.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Thread.sleep(2500);
        theirs.createProducer(theirs.createQueue(name())).send(theirs.createMessage());
    }
}
