package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.io.Serializable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A received message")
class BodyTest extends Jms {
    /** A class that no client trusts. */
    private static final class Stranger implements Serializable {
        private static final long serialVersionUID = 1;
    }

    private Message sent(Session by, Message message) throws JMSException {
        Queue queue = queue();
        by.createProducer(queue).send(message);
        MessageConsumer consumer = session.createConsumer(queue);
        Message got = consumer.receive(PATIENCE);
        consumer.close();
        assertNotNull(got);
        return got;
    }

    @Test
    @DisplayName("can't be written to before it is cleared")
    void readOnly() throws Exception {
        TextMessage message = session.createTextMessage("x");
        message.setIntProperty("n", 1);
        TextMessage got = (TextMessage) sent(session, message);
        assertThrows(MessageNotWriteableException.class, () -> got.setText("y"));
        assertThrows(MessageNotWriteableException.class, () -> got.setIntProperty("n", 2));
        got.clearBody();
        got.setText("y");
        got.clearProperties();
        got.setIntProperty("n", 2);
        assertEquals("y", got.getText());
    }

    @Test
    @DisplayName("converts its properties as JMS says")
    void conversions() throws Exception {
        Message message = session.createMessage();
        message.setIntProperty("int", 7);
        message.setStringProperty("text", "8");
        message.setBooleanProperty("flag", true);
        Message got = sent(session, message);
        assertEquals("7", got.getStringProperty("int"));
        assertEquals(7L, got.getLongProperty("int"));
        assertEquals(8, got.getIntProperty("text"));
        assertThrows(MessageFormatException.class, () -> got.getIntProperty("flag"));
        assertThrows(NumberFormatException.class, () -> got.getIntProperty("missing"));
        assertNull(got.getStringProperty("missing"));
    }

    @Test
    @DisplayName("keeps a property of more than 64 KiB")
    void largeProperty() throws Exception {
        Message message = session.createMessage();
        message.setStringProperty("large", "ü".repeat(70_000));
        assertEquals("ü".repeat(70_000), sent(session, message).getStringProperty("large"));
    }

    @Test
    @DisplayName("says where to answer: to queues, topics and temporary ones")
    void replyTo() throws Exception {
        Destination[] all = {queue(), topic(), session.createTemporaryQueue(), session.createTemporaryTopic()};
        for (Destination destination : all) {
            Message message = session.createMessage();
            message.setJMSReplyTo(destination);
            assertEquals(destination, sent(session, message).getJMSReplyTo());
        }
    }

    @Test
    @DisplayName("of an untrusted class is not read")
    void untrusted() throws Exception {
        ObjectMessage got = (ObjectMessage) sent(session, session.createObjectMessage(new Stranger()));
        assertThrows(JMSException.class, got::getObject);
    }

    @Test
    @DisplayName("of bytes, a map or a stream is decompressed")
    void compressed() throws Exception {
        Session theirs = auto(with("jms.useCompression=true"));
        byte[] body = new byte[5000];
        BytesMessage bytes = theirs.createBytesMessage();
        bytes.writeBytes(body);
        assertEquals(5000, ((BytesMessage) sent(theirs, bytes)).getBodyLength());
        MapMessage map = theirs.createMapMessage();
        map.setString("text", "x".repeat(5000));
        assertEquals("x".repeat(5000), ((MapMessage) sent(theirs, map)).getString("text"));
        StreamMessage stream = theirs.createStreamMessage();
        stream.writeString("x".repeat(5000));
        assertEquals("x".repeat(5000), ((StreamMessage) sent(theirs, stream)).readString());
    }

    @Test
    @DisplayName("of a megabyte of text arrives whole")
    void largeText() throws Exception {
        String text = "Grüße 世界 ".repeat(100_000);
        assertEquals(text, text(sent(session, session.createTextMessage(text))));
    }
}
