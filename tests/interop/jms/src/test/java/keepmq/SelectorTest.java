package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A selector")
class SelectorTest extends Jms {
    private Topic topic;
    private final List<Message> messages = new ArrayList<>();

    /** Six messages numbered from 1, of which the even ones have a color and the odd ones a flag. */
    @BeforeEach
    void make() throws Exception {
        topic = topic();
        String[] colors = {"red", "dark_red", "it's blue"};
        for (int n = 1; n <= 6; n++) {
            Message message = session.createMessage();
            message.setIntProperty("n", n);
            message.setDoubleProperty("half", n / 2.0);
            if (n % 2 == 0) {
                message.setStringProperty("color", colors[n / 2 - 1]);
            } else {
                message.setBooleanProperty("flag", n == 1);
            }
            messages.add(message);
        }
    }

    /** The numbers of the messages that are chosen. */
    private String chosen(String selector) throws JMSException {
        MessageConsumer consumer = session.createConsumer(topic, selector);
        MessageConsumer end = session.createConsumer(topic, "last = TRUE");
        MessageProducer producer = session.createProducer(topic);
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        for (Message message : messages) {
            producer.send(message);
        }
        Message last = session.createMessage();
        last.setBooleanProperty("last", true);
        producer.send(last);
        assertNotNull(end.receive(PATIENCE));
        StringBuilder found = new StringBuilder();
        for (Message got = consumer.receive(50); got != null; got = consumer.receive(50)) {
            found.append(got.propertyExists("n") ? got.getStringProperty("n") : "");
        }
        consumer.close();
        end.close();
        return found.toString();
    }

    @Test
    @DisplayName("compares and calculates")
    void arithmetic() throws Exception {
        assertEquals("456", chosen("n * 2 + 1 >= 9"));
        assertEquals("12456", chosen("n <> 3"));
        assertEquals("3", chosen("half = 1.5"));
        assertEquals("1", chosen("-n = -1"));
    }

    @Test
    @DisplayName("knows ranges and lists")
    void ranges() throws Exception {
        assertEquals("234", chosen("n BETWEEN 2 AND 4"));
        assertEquals("16", chosen("n NOT BETWEEN 2 AND 5"));
        assertEquals("2", chosen("color IN ('red', 'green')"));
        assertEquals("46", chosen("color NOT IN ('red', 'green')"));
    }

    @Test
    @DisplayName("knows patterns, with an escape")
    void patterns() throws Exception {
        assertEquals("24", chosen("color LIKE '%red'"));
        assertEquals("2", chosen("color LIKE 'r_d'"));
        assertEquals("4", chosen("color LIKE 'dark!_%' ESCAPE '!'"));
        assertEquals("6", chosen("color NOT LIKE '%red'"));
    }

    @Test
    @DisplayName("knows what is not there")
    void nothing() throws Exception {
        assertEquals("135", chosen("color IS NULL"));
        assertEquals("246", chosen("color IS NOT NULL"));
        assertEquals("", chosen("missing = 1 OR missing <> 1"));
    }

    @Test
    @DisplayName("knows truth, precedence and parentheses")
    void logic() throws Exception {
        assertEquals("1", chosen("flag"));
        assertEquals("35", chosen("flag = FALSE"));
        assertEquals("156", chosen("n = 1 OR n > 3 AND n <> 4"));
        assertEquals("56", chosen("(n = 1 OR n > 3) AND NOT (n = 1 OR n = 4)"));
    }

    @Test
    @DisplayName("has quotes within quotes, and keywords in any case")
    void spelling() throws Exception {
        assertEquals("6", chosen("color = 'it''s blue'"));
        assertEquals("23", chosen("n between 2 and 3"));
        assertEquals("", chosen("N = 1"));
    }

    @Test
    @DisplayName("does not take a text for a number")
    void types() throws Exception {
        assertEquals("", chosen("n = '1'"));
    }

    @Test
    @DisplayName("knows the headers")
    void headers() throws Exception {
        assertEquals("123456", chosen("JMSDeliveryMode = 'NON_PERSISTENT' AND n > 0"));
        assertEquals("", chosen("JMSDeliveryMode = 'PERSISTENT'"));
        assertEquals("123456", chosen("JMSTimestamp > 0 AND JMSPriority = 4 AND n > 0"));
        assertEquals("123456", chosen("JMSRedelivered = FALSE AND JMSExpiration = 0 AND n > 0"));
    }

    @Test
    @DisplayName("that is none is refused, whatever is wrong")
    void none() {
        for (String selector : new String[] {"n >", "= 1", "n = 'open", "(n = 1", "n BETWEEN 1", "n IN (", "LIKE 'x'"}) {
            assertThrows(InvalidSelectorException.class, () -> session.createConsumer(topic, selector), selector);
        }
    }
}
