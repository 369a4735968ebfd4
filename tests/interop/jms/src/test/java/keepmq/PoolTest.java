package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.messaginghub.pooled.jms.JmsPoolConnection;
import org.messaginghub.pooled.jms.JmsPoolConnectionFactory;
import org.springframework.jms.core.JmsTemplate;

@DisplayName("A pool of connections")
class PoolTest extends Jms {
    private JmsPoolConnectionFactory pool;

    @BeforeEach
    void make() throws Exception {
        pool = new JmsPoolConnectionFactory();
        pool.setConnectionFactory(Broker.factory(""));
        pool.setMaxConnections(1);
    }

    @AfterEach
    void stop() {
        pool.stop();
    }

    @Test
    @DisplayName("gives the same connection again and again")
    void reuse() throws Exception {
        Queue queue = queue();
        Connection first = null;
        for (int n = 0; n < 20; n++) {
            try (Connection pooled = pool.createConnection()) {
                pooled.start();
                Connection behind = ((JmsPoolConnection) pooled).getConnection();
                first = first == null ? behind : first;
                assertSame(first, behind);
                Session theirs = auto(pooled);
                theirs.createProducer(queue).send(theirs.createTextMessage("m" + n));
                assertEquals("m" + n, receive(theirs.createConsumer(queue)));
            }
        }
        assertEquals(1, pool.getNumConnections());
    }

    @Test
    @DisplayName("rolls back what a borrower did not commit")
    void rollback() throws Exception {
        Queue queue = queue();
        try (Connection pooled = pool.createConnection()) {
            Session transacted = pooled.createSession(true, Session.SESSION_TRANSACTED);
            transacted.createProducer(queue).send(transacted.createTextMessage("lost"));
            transacted.close();
            Session again = pooled.createSession(true, Session.SESSION_TRANSACTED);
            again.createProducer(queue).send(again.createTextMessage("kept"));
            again.commit();
        }
        MessageConsumer consumer = session.createConsumer(queue);
        assertEquals("kept", receive(consumer));
        assertNull(receiveNone(consumer));
    }

    @Test
    @DisplayName("leaves what a borrower had fetched to the next one")
    void consumers() throws Exception {
        Queue queue = queue();
        send(queue, "a", "b", "c");
        for (String text : new String[] {"a", "b", "c"}) {
            try (Connection pooled = pool.createConnection()) {
                pooled.start();
                assertEquals(text, receive(auto(pooled).createConsumer(queue)));
            }
        }
    }

    @Test
    @DisplayName("deletes the temporary queues of who gives a connection back")
    void temporaries() throws Exception {
        TemporaryQueue replies;
        try (Connection keeper = pool.createConnection()) {
            try (Connection pooled = pool.createConnection()) {
                pooled.start();
                replies = auto(pooled).createTemporaryQueue();
                send(replies, "there");
            }
            Session unaware = auto(with("jms.watchTopicAdvisories=false"));
            assertThrows(JMSException.class,
                () -> unaware.createProducer(replies).send(unaware.createTextMessage("gone")));
        }
    }

    @Test
    @DisplayName("makes a new connection when one broke")
    void broken() throws Exception {
        Queue queue = queue();
        try (Cable cable = new Cable()) {
            pool.setConnectionFactory(Broker.withTrust(cable.url()));
            Connection pooled = pool.createConnection();
            pooled.start();
            Session theirs = auto(pooled);
            theirs.createProducer(queue).send(theirs.createTextMessage("before"));
            cable.cut();
            assertThrows(JMSException.class, () -> {
                theirs.createProducer(queue).send(theirs.createTextMessage("broken"));
            });
            pooled.close();
            eventually("a new one works", () -> {
                try (Connection other = pool.createConnection()) {
                    Session again = auto(other);
                    again.createProducer(queue).send(again.createTextMessage("after"));
                    return true;
                } catch (JMSException e) {
                    return false;
                }
            });
        }
        MessageConsumer consumer = session.createConsumer(queue);
        assertEquals("before", receive(consumer));
        assertEquals("after", receive(consumer));
    }

    @Test
    @DisplayName("serves Spring's template, on the failover transport too")
    void spring() throws Exception {
        pool.setConnectionFactory(Broker.failover());
        pool.setMaxConnections(2);
        JmsTemplate template = new JmsTemplate(pool);
        template.setReceiveTimeout(PATIENCE);
        String queue = name();
        for (int n = 0; n < 20; n++) {
            template.convertAndSend(queue, "m" + n);
            assertEquals("m" + n, template.receiveAndConvert(queue));
        }
    }

    @Test
    @DisplayName("keeps connections of different users apart, and a wrong password out")
    void users() throws Exception {
        pool.setConnectionFactory(Broker.factory(""));
        try (Connection right = pool.createConnection(Broker.USER, Broker.PASSWORD)) {
            right.start();
            assertThrows(JMSSecurityException.class, () -> {
                try (Connection wrong = pool.createConnection(Broker.USER, "wrong")) {
                    wrong.start();
                }
            });
            auto(right).createProducer(queue()).send(session.createMessage());
        }
    }
}
