package keepmq;

import static org.junit.jupiter.api.Assertions.*;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import jakarta.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Shop writes orders, billing reads them, and the guest may log in and nothing else. */
@DisplayName("Who has no right")
class RightsTest {
    private ActiveMQConnection shop;
    private ActiveMQConnection billing;
    private ActiveMQConnection guest;
    private Session selling;
    private Session paying;
    private Session visiting;
    private String name;

    @BeforeEach
    void open() throws Exception {
        assumeTrue(Broker.password("shop") != null, "the broker has no such people");
        shop = Broker.connect("shop");
        billing = Broker.connect("billing");
        guest = Broker.connect("guest");
        selling = shop.createSession(false, Session.AUTO_ACKNOWLEDGE);
        paying = billing.createSession(false, Session.AUTO_ACKNOWLEDGE);
        visiting = guest.createSession(false, Session.AUTO_ACKNOWLEDGE);
        name = "ORDERS." + Jms.name();
    }

    @AfterEach
    void close() throws JMSException {
        for (ActiveMQConnection connection : new ActiveMQConnection[] {shop, billing, guest}) {
            if (connection != null) {
                connection.close();
            }
        }
    }

    private void works() throws JMSException {
        selling.createProducer(selling.createQueue(name)).send(selling.createTextMessage("order"));
        assertEquals("order", Jms.receive(paying.createConsumer(paying.createQueue(name))));
    }

    @Test
    @DisplayName("is told so, and those who have one are served")
    void rights() throws Exception {
        works();
    }

    @Test
    @DisplayName("to write has no producer")
    void write() throws Exception {
        Queue queue = paying.createQueue(name);
        assertThrows(JMSSecurityException.class, () -> paying.createProducer(queue));
        works();
    }

    @Test
    @DisplayName("to read has no consumer, browser or durable subscription")
    void read() throws Exception {
        Queue queue = selling.createQueue(name);
        assertThrows(JMSSecurityException.class, () -> selling.createConsumer(queue));
        assertThrows(JMSException.class, () -> selling.createBrowser(queue).getEnumeration().hasMoreElements());
        assertThrows(JMSSecurityException.class, () -> visiting.createConsumer(visiting.createTopic("news")));
        works();
    }

    @Test
    @DisplayName("is refused when it sends without having said where to")
    void anonymous() throws Exception {
        MessageProducer producer = visiting.createProducer(null);
        JMSException refusal = assertThrows(JMSSecurityException.class,
            () -> producer.send(visiting.createQueue(name), visiting.createTextMessage("x")));
        assertTrue(refusal.getMessage().contains("not authorized to write"), refusal.getMessage());
        works();
    }

    @Test
    @DisplayName("to one of several destinations has none to all of them")
    void composite() throws Exception {
        MessageProducer producer = selling.createProducer(null);
        Queue both = selling.createQueue(name + ",PAYROLL");
        assertThrows(JMSSecurityException.class, () -> producer.send(both, selling.createTextMessage("x")));
    }

    @Test
    @DisplayName("has no right to a destination that does not exist either")
    void unknown() throws Exception {
        assertThrows(JMSSecurityException.class, () -> visiting.createConsumer(visiting.createQueue(Jms.name())));
        assertThrows(JMSSecurityException.class, () -> visiting.createProducer(visiting.createQueue(Jms.name())));
    }

    @Test
    @DisplayName("loses what it sent in a transaction with a message that it may not send")
    void transaction() throws Exception {
        Session transacted = shop.createSession(true, Session.SESSION_TRANSACTED);
        MessageProducer producer = transacted.createProducer(null);
        producer.send(transacted.createQueue(name), transacted.createTextMessage("good"));
        producer.send(transacted.createQueue("PAYROLL"), transacted.createTextMessage("bad"));
        assertThrows(JMSException.class, transacted::commit);
        assertNull(paying.createConsumer(paying.createQueue(name)).receive(Jms.MOMENT));
    }
}
