package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.activemq.ActiveMQConnection;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("In its life a connection")
class LifecycleTest extends Jms {
    @Test
    @DisplayName("delivers nothing before it is started")
    void begins() throws Exception {
        Queue queue = queue();
        send(queue, "x");
        ActiveMQConnection other = closedWithTest((ActiveMQConnection) Broker.factory("").createConnection());
        MessageConsumer consumer = auto(other).createConsumer(queue);
        assertNull(receiveNone(consumer));
        other.start();
        assertEquals("x", receive(consumer));
    }

    @Test
    @DisplayName("pauses when it is stopped and goes on when it is started")
    void pauses() throws Exception {
        Queue queue = queue();
        ActiveMQConnection other = another();
        MessageConsumer consumer = auto(other).createConsumer(queue);
        other.stop();
        send(queue, "x");
        assertNull(receiveNone(consumer));
        other.start();
        assertEquals("x", receive(consumer));
    }

    @Test
    @DisplayName("has a client id of its own when none is given, and keeps it")
    void clientId() throws Exception {
        ActiveMQConnection other = another();
        assertNotNull(other.getClientID());
        assertNotEquals(connection.getClientID(), other.getClientID());
        assertThrows(jakarta.jms.IllegalStateException.class, () -> other.setClientID(name()));
    }

    @Test
    @DisplayName("refuses everything once it is closed, but to be closed again")
    void closed() throws Exception {
        ActiveMQConnection other = another();
        Session theirs = auto(other);
        MessageProducer producer = theirs.createProducer(queue());
        other.close();
        other.close();
        assertThrows(jakarta.jms.IllegalStateException.class, () -> auto(other));
        assertThrows(jakarta.jms.IllegalStateException.class, () -> theirs.createMessage());
        assertThrows(jakarta.jms.IllegalStateException.class, () -> producer.send(session.createMessage()));
    }

    @Test
    @DisplayName("wakes who waits for a message when it is closed")
    void wakes() throws Exception {
        ActiveMQConnection other = another();
        MessageConsumer consumer = auto(other).createConsumer(queue());
        CompletableFuture<Message> waiting = CompletableFuture.supplyAsync(() -> {
            try {
                return consumer.receive();
            } catch (JMSException e) {
                throw new RuntimeException(e);
            }
        });
        Thread.sleep(100);
        other.close();
        assertNull(waiting.get(PATIENCE, TimeUnit.MILLISECONDS));
    }

    @Test
    @DisplayName("needs a user, and one that is known")
    void users() throws Exception {
        for (String user : new String[] {null, "nobody"}) {
            var factory = Broker.factory("");
            factory.setUserName(user);
            try (Connection other = factory.createConnection()) {
                assertThrows(JMSSecurityException.class, other::start);
            }
        }
    }

    @Test
    @DisplayName("tells its listener when it breaks")
    void breaks() throws Exception {
        try (Cable cable = new Cable()) {
            ActiveMQConnection other = closedWithTest(Broker.start(Broker.withTrust(cable.url())));
            CompletableFuture<JMSException> told = new CompletableFuture<>();
            other.setExceptionListener(told::complete);
            cable.cut();
            assertNotNull(told.get(PATIENCE, TimeUnit.MILLISECONDS));
            assertThrows(JMSException.class, () -> auto(other).createConsumer(queue()));
        }
    }

    @Test
    @DisplayName("gives its client id free when it breaks")
    void broken() throws Exception {
        String id = name();
        try (Cable cable = new Cable()) {
            ActiveMQConnection other =
                closedWithTest((ActiveMQConnection) Broker.withTrust(cable.url()).createConnection());
            other.setClientID(id);
            other.start();
        }
        eventually("it is free", () -> {
            try {
                named(id);
                return true;
            } catch (InvalidClientIDException e) {
                return false;
            }
        });
    }

    @Test
    @DisplayName("carries many sessions, each of which ends by itself")
    void sessions() throws Exception {
        Queue queue = queue();
        for (int n = 0; n < 50; n++) {
            Session one = auto(connection);
            one.createProducer(queue).send(one.createTextMessage("m" + n));
            if (n % 2 == 0) {
                one.close();
            }
        }
        MessageConsumer consumer = session.createConsumer(queue);
        for (int n = 0; n < 50; n++) {
            assertEquals("m" + n, receive(consumer));
        }
    }

    @Test
    @DisplayName("says that it has no shared consumers")
    void sharedConsumers() throws Exception {
        Topic topic = topic();
        assertThrows(UnsupportedOperationException.class, () -> session.createSharedConsumer(topic, "s"));
        assertThrows(UnsupportedOperationException.class, () -> session.createSharedDurableConsumer(topic, "s"));
    }
}
