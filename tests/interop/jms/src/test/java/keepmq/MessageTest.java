package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.activemq.ActiveMQConnection;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A message")
class MessageTest extends Jms {
    private Message sent(Message message) throws Exception {
        Queue queue = queue();
        session.createProducer(queue).send(message);
        MessageConsumer consumer = session.createConsumer(queue);
        Message got = consumer.receive(PATIENCE);
        consumer.close();
        assertNotNull(got);
        return got;
    }

    @Test
    @DisplayName("of text keeps every character")
    void texts() throws Exception {
        for (String text : new String[] {"", "plain", "Grüße, 世界", "emoji \uD83D\uDE00", "zero \0 byte"}) {
            assertEquals(text, text(sent(session.createTextMessage(text))));
        }
        assertNull(((TextMessage) sent(session.createTextMessage())).getText());
    }

    @Test
    @DisplayName("of bytes keeps every type")
    void bytes() throws Exception {
        BytesMessage message = session.createBytesMessage();
        message.writeInt(42);
        message.writeUTF("text");
        message.writeDouble(1.5);
        message.writeBytes(new byte[] {1, 2, 3});
        BytesMessage got = (BytesMessage) sent(message);
        assertEquals(42, got.readInt());
        assertEquals("text", got.readUTF());
        assertEquals(1.5, got.readDouble());
        assertEquals(3, got.readBytes(new byte[3]));
        assertEquals(4 + 2 + 4 + 8 + 3, got.getBodyLength());
    }

    @Test
    @DisplayName("of a map keeps every value")
    void map() throws Exception {
        MapMessage message = session.createMapMessage();
        message.setBoolean("boolean", true);
        message.setByte("byte", (byte) 1);
        message.setChar("char", 'x');
        message.setShort("short", (short) 2);
        message.setInt("int", 3);
        message.setLong("long", 4);
        message.setFloat("float", 5.5f);
        message.setDouble("double", 6.5);
        message.setString("string", "text");
        message.setBytes("bytes", new byte[] {7});
        MapMessage got = (MapMessage) sent(message);
        assertTrue(got.getBoolean("boolean"));
        assertEquals('x', got.getChar("char"));
        assertEquals(4, got.getLong("long"));
        assertEquals(5.5f, got.getFloat("float"));
        assertEquals(6.5, got.getDouble("double"));
        assertEquals("text", got.getString("string"));
        assertArrayEquals(new byte[] {7}, got.getBytes("bytes"));
    }

    @Test
    @DisplayName("of a stream keeps every value in order")
    void stream() throws Exception {
        StreamMessage message = session.createStreamMessage();
        message.writeInt(1);
        message.writeString("two");
        message.writeBytes(new byte[] {3});
        message.writeObject(null);
        StreamMessage got = (StreamMessage) sent(message);
        assertEquals(1, got.readInt());
        assertEquals("two", got.readString());
        byte[] bytes = new byte[2];
        assertEquals(1, got.readBytes(bytes));
        assertEquals(-1, got.readBytes(bytes));
        assertNull(got.readObject());
    }

    @Test
    @DisplayName("of an object arrives as the object")
    void object() throws Exception {
        ActiveMQConnection other = closedWithTest((ActiveMQConnection) Broker.factory("").createConnection());
        other.setTrustAllPackages(true);
        other.start();
        Queue queue = queue();
        session.createProducer(queue).send(session.createObjectMessage(new Date(12345)));
        MessageConsumer consumer = other.createSession(false, Session.AUTO_ACKNOWLEDGE).createConsumer(queue);
        assertEquals(new Date(12345), ((ObjectMessage) consumer.receive(PATIENCE)).getObject());
    }

    @Test
    @DisplayName("without a body is one")
    void empty() throws Exception {
        Message got = sent(session.createMessage());
        assertFalse(got instanceof TextMessage || got instanceof BytesMessage);
    }

    @Test
    @DisplayName("keeps properties of every type")
    void properties() throws Exception {
        Message message = session.createMessage();
        message.setBooleanProperty("boolean", true);
        message.setByteProperty("byte", (byte) 1);
        message.setShortProperty("short", (short) 2);
        message.setIntProperty("int", 3);
        message.setLongProperty("long", 4);
        message.setFloatProperty("float", 5.5f);
        message.setDoubleProperty("double", 6.5);
        message.setStringProperty("string", "Grüße");
        message.setObjectProperty("list", new ArrayList<>(List.of("a", 1)));
        message.setObjectProperty("map", new HashMap<>(Map.of("key", "value")));
        Message got = sent(message);
        for (Object name : Collections.list(message.getPropertyNames())) {
            assertEquals(message.getObjectProperty((String) name), got.getObjectProperty((String) name), (String) name);
        }
    }

    @Test
    @DisplayName("keeps its headers")
    void headers() throws Exception {
        Queue queue = queue();
        Queue replies = queue();
        TextMessage message = session.createTextMessage("x");
        message.setJMSCorrelationID("correlation");
        message.setJMSType("type");
        message.setJMSReplyTo(replies);
        MessageProducer producer = session.createProducer(queue);
        producer.send(message, DeliveryMode.NON_PERSISTENT, 7, 60_000);
        Message got = session.createConsumer(queue).receive(PATIENCE);
        assertEquals("correlation", got.getJMSCorrelationID());
        assertEquals("type", got.getJMSType());
        assertEquals(replies, got.getJMSReplyTo());
        assertEquals(queue, got.getJMSDestination());
        assertEquals(DeliveryMode.NON_PERSISTENT, got.getJMSDeliveryMode());
        assertEquals(7, got.getJMSPriority());
        assertEquals(message.getJMSMessageID(), got.getJMSMessageID());
        assertEquals(message.getJMSTimestamp(), got.getJMSTimestamp());
        assertEquals(message.getJMSExpiration(), got.getJMSExpiration());
        assertFalse(got.getJMSRedelivered());
        assertEquals(1, got.getIntProperty("JMSXDeliveryCount"));
    }

    @Test
    @DisplayName("that is too old is not delivered")
    void expired() throws Exception {
        Queue queue = queue();
        MessageProducer producer = session.createProducer(queue);
        producer.send(session.createTextMessage("old"), DeliveryMode.NON_PERSISTENT, 4, 50);
        Thread.sleep(200);
        producer.send(session.createTextMessage("new"));
        assertEquals("new", receive(session.createConsumer(queue)));
    }

    @Test
    @DisplayName("of a megabyte arrives whole")
    void large() throws Exception {
        byte[] body = new byte[1 << 20];
        new java.util.Random(1).nextBytes(body);
        BytesMessage message = session.createBytesMessage();
        message.writeBytes(body);
        BytesMessage got = (BytesMessage) sent(message);
        byte[] found = new byte[body.length];
        assertEquals(body.length, got.readBytes(found));
        assertArrayEquals(body, found);
    }

    @Test
    @DisplayName("that is compressed arrives as it was")
    void compressed() throws Exception {
        ActiveMQConnection other = closedWithTest(Broker.start(Broker.factory("jms.useCompression=true")));
        Session theirs = other.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = queue();
        String text = "compress me ".repeat(500);
        theirs.createProducer(queue).send(theirs.createTextMessage(text));
        assertEquals(text, receive(session.createConsumer(queue)));
    }

    @Test
    @DisplayName("can be sent on as it was received")
    void forwarded() throws Exception {
        Message got = sent(session.createTextMessage("x"));
        String id = got.getJMSMessageID();
        Message again = sent(got);
        assertEquals("x", text(again));
        assertNotEquals(id, again.getJMSMessageID());
    }
}
