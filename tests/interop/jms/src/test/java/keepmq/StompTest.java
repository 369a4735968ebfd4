package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Between STOMP and JMS")
class StompTest extends Jms {
    private record Frame(String command, Map<String, String> headers, byte[] body) {
        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }
    }

    private Socket socket;
    private InputStream in;

    @BeforeEach
    void connectStomp() throws Exception {
        socket = Broker.stomp();
        socket.setSoTimeout((int) PATIENCE);
        in = socket.getInputStream();
        write("CONNECT\naccept-version:1.2\nhost:x\nlogin:" + Broker.USER + "\npasscode:" + Broker.PASSWORD + "\n\n", "");
        assertEquals("CONNECTED", read().command());
    }

    @AfterEach
    void closeStomp() throws IOException {
        socket.close();
    }

    private void write(String head, String body) throws IOException {
        socket.getOutputStream().write((head + body + "\0").getBytes(StandardCharsets.UTF_8));
    }

    private void sendFrame(String destination, String headers, String body) throws IOException {
        write("SEND\ndestination:" + destination + "\nreceipt:r\n" + headers + "\n", body);
        assertEquals("RECEIPT", read().command());
    }

    private void subscribe(String destination) throws IOException {
        write("SUBSCRIBE\nid:1\nack:auto\nreceipt:s\ndestination:" + destination + "\n\n", "");
        assertEquals("RECEIPT", read().command());
    }

    private Frame read() throws IOException {
        String command;
        do {
            command = line();
        } while (command.isEmpty());
        Map<String, String> headers = new LinkedHashMap<>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            headers.putIfAbsent(line.substring(0, colon), line.substring(colon + 1).replace("\\c", ":"));
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        int left = Integer.parseInt(headers.getOrDefault("content-length", "-1"));
        for (int b = in.read(); left > 0 || b != 0; b = in.read(), left--) {
            body.write(b);
        }
        return new Frame(command, headers, body.toByteArray());
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new IOException("the broker closed the connection");
            }
            line.write(b);
        }
        return line.toString(StandardCharsets.UTF_8).replace("\r", "");
    }

    @Test
    @DisplayName("a text with headers becomes a text message with properties")
    void textToJms() throws Exception {
        String name = name();
        sendFrame("/queue/" + name, "correlation-id:c1\ntype:t1\npriority:7\npersistent:true\ncolor:blue\n", "Grüße");
        Message got = session.createConsumer(session.createQueue(name)).receive(PATIENCE);
        assertEquals("Grüße", text(got));
        assertEquals("c1", got.getJMSCorrelationID());
        assertEquals("t1", got.getJMSType());
        assertEquals(7, got.getJMSPriority());
        assertEquals(DeliveryMode.PERSISTENT, got.getJMSDeliveryMode());
        assertEquals("blue", got.getStringProperty("color"));
        assertNotNull(got.getJMSMessageID());
    }

    @Test
    @DisplayName("a body of a stated length becomes a bytes message")
    void bytesToJms() throws Exception {
        String name = name();
        sendFrame("/queue/" + name, "content-length:3\n", "a\0b");
        BytesMessage got = (BytesMessage) session.createConsumer(session.createQueue(name)).receive(PATIENCE);
        assertEquals(3, got.getBodyLength());
        got.readByte();
        assertEquals(0, got.readByte());
    }

    @Test
    @DisplayName("a text message becomes a text with headers")
    void textToStomp() throws Exception {
        String name = name();
        subscribe("/queue/" + name);
        TextMessage message = session.createTextMessage("Grüße, 世界");
        message.setJMSCorrelationID("c1");
        message.setJMSType("t1");
        message.setStringProperty("color", "blue");
        message.setIntProperty("n", 7);
        session.createProducer(session.createQueue(name)).send(message);
        Frame got = read();
        assertEquals("Grüße, 世界", got.text());
        assertEquals("/queue/" + name, got.headers().get("destination"));
        assertEquals("c1", got.headers().get("correlation-id"));
        assertEquals("t1", got.headers().get("type"));
        assertEquals("blue", got.headers().get("color"));
        assertEquals("7", got.headers().get("n"));
        assertEquals("true", got.headers().get("persistent"));
    }

    @Test
    @DisplayName("a bytes message becomes a body of a stated length")
    void bytesToStomp() throws Exception {
        String name = name();
        subscribe("/topic/" + name);
        BytesMessage message = session.createBytesMessage();
        message.writeBytes(new byte[] {1, 0, 2});
        session.createProducer(session.createTopic(name)).send(message);
        Frame got = read();
        assertEquals("3", got.headers().get("content-length"));
        assertArrayEquals(new byte[] {1, 0, 2}, got.body());
    }

    @Test
    @DisplayName("selectors of JMS see the headers of STOMP")
    void selector() throws Exception {
        String name = name();
        MessageConsumer red = session.createConsumer(session.createQueue(name), "color = 'red'");
        sendFrame("/queue/" + name, "color:blue\n", "one");
        sendFrame("/queue/" + name, "color:red\n", "two");
        assertEquals("two", receive(red));
    }

    @Test
    @DisplayName("an answer finds its way back")
    void replyTo() throws Exception {
        String name = name();
        subscribe("/queue/" + name);
        TemporaryQueue replies = session.createTemporaryQueue();
        MessageConsumer consumer = session.createConsumer(replies);
        TextMessage request = session.createTextMessage("question");
        request.setJMSReplyTo(replies);
        session.createProducer(session.createQueue(name)).send(request);
        String replyTo = read().headers().get("reply-to");
        assertNotNull(replyTo);
        sendFrame(replyTo, "", "answer");
        assertEquals("answer", receive(consumer));
    }
}
