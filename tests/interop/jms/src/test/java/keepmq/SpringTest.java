package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.springframework.jms.InvalidSelectorException;
import org.springframework.jms.JmsSecurityException;
import org.springframework.jms.connection.CachingConnectionFactory;
import org.springframework.jms.connection.JmsTransactionManager;
import org.springframework.jms.core.JmsMessagingTemplate;
import org.springframework.jms.core.JmsTemplate;
import org.springframework.transaction.support.TransactionTemplate;

@DisplayName("Spring's template")
class SpringTest extends Jms {
    private CachingConnectionFactory caching;
    private JmsTemplate template;

    @BeforeEach
    void make() throws Exception {
        caching = new CachingConnectionFactory(Broker.factory(""));
        caching.setSessionCacheSize(5);
        template = new JmsTemplate(caching);
        template.setReceiveTimeout(PATIENCE);
    }

    @AfterEach
    void destroy() {
        caching.destroy();
    }

    @Test
    @DisplayName("sends and receives what it converts: texts, bytes and maps")
    void convert() {
        String queue = name();
        template.convertAndSend(queue, "text");
        template.convertAndSend(queue, new byte[] {1, 2});
        template.convertAndSend(queue, Map.of("key", 7));
        assertEquals("text", template.receiveAndConvert(queue));
        assertArrayEquals(new byte[] {1, 2}, (byte[]) template.receiveAndConvert(queue));
        assertEquals(Map.of("key", 7), template.receiveAndConvert(queue));
    }

    @Test
    @DisplayName("receives nothing in time from an empty queue")
    void nothing() {
        template.setReceiveTimeout(MOMENT);
        assertNull(template.receive(name()));
        template.setReceiveTimeout(JmsTemplate.RECEIVE_TIMEOUT_NO_WAIT);
        assertNull(template.receive(name()));
    }

    @Test
    @DisplayName("works without a cache: a connection for each operation")
    void withoutCache() throws Exception {
        JmsTemplate plain = new JmsTemplate(Broker.factory(""));
        plain.setReceiveTimeout(PATIENCE);
        String queue = name();
        for (int n = 0; n < 5; n++) {
            plain.convertAndSend(queue, "m" + n);
        }
        for (int n = 0; n < 5; n++) {
            assertEquals("m" + n, plain.receiveAndConvert(queue));
        }
    }

    @Test
    @DisplayName("sets headers and properties when it sends")
    void postProcess() throws Exception {
        String queue = name();
        template.setExplicitQosEnabled(true);
        template.setDeliveryPersistent(false);
        template.setPriority(8);
        template.setTimeToLive(60_000);
        template.convertAndSend(queue, "x", message -> {
            message.setJMSCorrelationID("c");
            message.setIntProperty("n", 3);
            return message;
        });
        Message got = template.receive(queue);
        assertEquals("c", got.getJMSCorrelationID());
        assertEquals(3, got.getIntProperty("n"));
        assertEquals(8, got.getJMSPriority());
        assertEquals(DeliveryMode.NON_PERSISTENT, got.getJMSDeliveryMode());
        assertEquals(got.getJMSTimestamp() + 60_000, got.getJMSExpiration());
    }

    @Test
    @DisplayName("receives by a selector, and says when it is none")
    void selected() {
        String queue = name();
        for (int n = 0; n < 3; n++) {
            int number = n;
            template.convertAndSend(queue, "m" + n, message -> {
                message.setIntProperty("n", number);
                return message;
            });
        }
        assertEquals("m1", template.receiveSelectedAndConvert(queue, "n = 1"));
        assertThrows(InvalidSelectorException.class, () -> template.receiveSelected(queue, "n = "));
        assertEquals("m0", template.receiveAndConvert(queue));
    }

    @Test
    @DisplayName("browses a queue")
    void browse() {
        String queue = name();
        template.convertAndSend(queue, "a");
        template.convertAndSend(queue, "b");
        Integer seen = template.browse(queue, (session, browser) -> Collections.list(browser.getEnumeration()).size());
        assertEquals(2, seen);
        assertEquals("a", template.receiveAndConvert(queue));
    }

    @Test
    @DisplayName("asks and gets the answer over a temporary queue, again and again")
    void sendAndReceive() throws Exception {
        Queue queue = queue();
        MessageProducer answers = session.createProducer(null);
        session.createConsumer(queue).setMessageListener(message -> {
            try {
                answers.send(message.getJMSReplyTo(), session.createTextMessage(text(message) + "!"));
            } catch (JMSException e) {
                throw new RuntimeException(e);
            }
        });
        for (int n = 0; n < 5; n++) {
            String text = "m" + n;
            Message answer = template.sendAndReceive(queue, session -> session.createTextMessage(text));
            assertEquals(text + "!", text(answer));
        }
    }

    @Test
    @DisplayName("sends to topics")
    void topics() throws Exception {
        Topic topic = topic();
        MessageConsumer consumer = session.createConsumer(topic);
        template.setPubSubDomain(true);
        template.convertAndSend(topic.getTopicName(), "x");
        assertEquals("x", receive(consumer));
    }

    @Test
    @DisplayName("sends and receives in a transaction as one, or not at all")
    void transactions() {
        TransactionTemplate transaction = new TransactionTemplate(new JmsTransactionManager(caching));
        String from = name();
        String to = name();
        template.setSessionTransacted(true);
        template.convertAndSend(from, "x");
        for (boolean fails : new boolean[] {true, false}) {
            transaction.executeWithoutResult(status -> {
                template.convertAndSend(to, template.receiveAndConvert(from) + "!");
                if (fails) {
                    status.setRollbackOnly();
                }
            });
        }
        assertEquals("x!", template.receiveAndConvert(to));
        template.setReceiveTimeout(MOMENT);
        assertNull(template.receive(to));
        assertNull(template.receive(from));
    }

    @Test
    @DisplayName("acknowledges by hand")
    void clientAcknowledge() throws Exception {
        String queue = name();
        template.convertAndSend(queue, "x");
        template.setSessionAcknowledgeMode(Session.CLIENT_ACKNOWLEDGE);
        template.setReceiveTimeout(PATIENCE);
        assertEquals("x", template.receiveAndConvert(queue));
        template.setReceiveTimeout(MOMENT);
        assertNull(template.receive(queue));
    }

    @Test
    @DisplayName("carries headers of messages between systems")
    void messaging() {
        String queue = name();
        JmsMessagingTemplate messages = new JmsMessagingTemplate(template);
        messages.convertAndSend(queue, "x", Map.of("color", "blue", "weight", 3));
        org.springframework.messaging.Message<?> got = messages.receive(queue);
        assertNotNull(got);
        assertEquals("x", got.getPayload());
        assertEquals(List.of("blue", 3), List.of(got.getHeaders().get("color"), got.getHeaders().get("weight")));
    }

    @Test
    @DisplayName("says that it may not come in with a wrong password")
    void wrongPassword() throws Exception {
        var factory = Broker.factory("");
        factory.setPassword("wrong");
        assertThrows(JmsSecurityException.class, () -> new JmsTemplate(factory).convertAndSend(name(), "x"));
    }
}
