package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.advisory.AdvisorySupport;
import org.apache.activemq.command.ActiveMQDestination;
import org.apache.activemq.command.ActiveMQMessage;
import org.apache.activemq.command.ConnectionInfo;
import org.apache.activemq.command.ConsumerInfo;
import org.apache.activemq.command.DataStructure;
import org.apache.activemq.command.DestinationInfo;
import org.apache.activemq.command.ProducerInfo;
import org.apache.activemq.command.RemoveInfo;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("later:advisories")
@DisplayName("An advisory")
class AdvisoryTest extends Jms {
    private static <T extends DataStructure> T content(Class<T> kind, MessageConsumer advisories) throws JMSException {
        ActiveMQMessage advisory = (ActiveMQMessage) advisories.receive(PATIENCE);
        assertNotNull(advisory, "no advisory came");
        assertEquals("Advisory", advisory.getJMSType());
        return assertInstanceOf(kind, advisory.getDataStructure());
    }

    private ActiveMQDestination advised() throws JMSException {
        return (ActiveMQDestination) session.createQueue("advised." + name());
    }

    private MessageConsumer of(Topic topic) throws JMSException {
        return session.createConsumer(topic);
    }

    @Test
    @DisplayName("tells of connections that come and go, without their passwords")
    void connections() throws Exception {
        MessageConsumer advisories = of(AdvisorySupport.getConnectionAdvisoryTopic());
        String id = name();
        ActiveMQConnection other = named(id);
        ConnectionInfo info;
        do {
            info = content(ConnectionInfo.class, advisories);
        } while (!id.equals(info.getClientId()));
        assertEquals(Broker.USER, info.getUserName());
        assertTrue(info.getPassword() == null || info.getPassword().isEmpty());
        other.close();
        assertEquals(info.getConnectionId(), content(RemoveInfo.class, advisories).getObjectId());
    }

    @Test
    @DisplayName("tells of a queue's consumers that come and go, and how many there are")
    void consumers() throws Exception {
        Queue queue = queue();
        MessageConsumer advisories = of(AdvisorySupport.getConsumerAdvisoryTopic(queue));
        MessageConsumer consumer = auto(another()).createConsumer(queue, "n = 1");
        ActiveMQMessage advisory = (ActiveMQMessage) advisories.receive(PATIENCE);
        assertNotNull(advisory);
        assertEquals("n = 1", ((ConsumerInfo) advisory.getDataStructure()).getSelector());
        assertEquals(1, advisory.getIntProperty("consumerCount"));
        assertNotNull(advisory.getStringProperty("originBrokerId"));
        consumer.close();
        content(RemoveInfo.class, advisories);
    }

    @Test
    @DisplayName("tells a late subscriber of the consumers that are there")
    void consumersBefore() throws Exception {
        Topic topic = topic();
        auto(another()).createConsumer(topic);
        MessageConsumer advisories = of(AdvisorySupport.getConsumerAdvisoryTopic(topic));
        assertEquals(topic, content(ConsumerInfo.class, advisories).getDestination());
    }

    @Test
    @DisplayName("tells of producers that come and go")
    void producers() throws Exception {
        Queue queue = queue();
        MessageConsumer advisories = of(AdvisorySupport.getProducerAdvisoryTopic(queue));
        MessageProducer producer = auto(another()).createProducer(queue);
        assertEquals(queue, content(ProducerInfo.class, advisories).getDestination());
        producer.close();
        content(RemoveInfo.class, advisories);
    }

    @Test
    @DisplayName("tells of temporary destinations that come and go")
    void temporaries() throws Exception {
        MessageConsumer advisories = of(AdvisorySupport.TEMP_QUEUE_ADVISORY_TOPIC);
        TemporaryQueue queue = auto(another()).createTemporaryQueue();
        DestinationInfo info;
        do {
            info = content(DestinationInfo.class, advisories);
        } while (!queue.equals(info.getDestination()));
        assertTrue(info.isAddOperation());
        queue.delete();
        do {
            info = content(DestinationInfo.class, advisories);
        } while (!queue.equals(info.getDestination()));
        assertTrue(info.isRemoveOperation());
    }

    @Test
    @DisplayName("tells of a message that expired")
    void expired() throws Exception {
        Queue queue = queue();
        MessageConsumer advisories = of(AdvisorySupport.getExpiredMessageTopic((ActiveMQDestination) queue));
        TextMessage message = session.createTextMessage("old");
        session.createProducer(queue).send(message, DeliveryMode.PERSISTENT, 4, 50);
        Thread.sleep(MOMENT);
        assertNull(receiveNone(session.createConsumer(queue)));
        Message advisory = advisories.receive(PATIENCE);
        assertNotNull(advisory);
        assertEquals(message.getJMSMessageID(), advisory.getStringProperty("orignalMessageId"));
    }

    @Test
    @DisplayName("tells of a message that nobody wanted")
    void noConsumer() throws Exception {
        Topic topic = session.createTopic("advised." + name());
        MessageConsumer advisories =
            of(AdvisorySupport.getNoTopicConsumersAdvisoryTopic((ActiveMQDestination) topic));
        MessageProducer producer = session.createProducer(topic);
        producer.send(session.createTextMessage("x"), DeliveryMode.NON_PERSISTENT, 4, 0);
        assertNotNull(advisories.receive(PATIENCE));
    }

    @Test
    @DisplayName("tells of a message that was consumed")
    void consumed() throws Exception {
        ActiveMQDestination queue = advised();
        MessageConsumer advisories = of(AdvisorySupport.getMessageConsumedAdvisoryTopic(queue));
        send(queue, "x");
        assertNull(receiveNone(advisories));
        assertEquals("x", receive(session.createConsumer(queue)));
        assertNotNull(advisories.receive(PATIENCE));
    }

    @Test
    @DisplayName("tells of a message that was delivered to a queue")
    void delivered() throws Exception {
        ActiveMQDestination queue = advised();
        MessageConsumer advisories = of(AdvisorySupport.getMessageDeliveredAdvisoryTopic(queue));
        send(queue, "x");
        assertNotNull(advisories.receive(PATIENCE));
    }

    @Test
    @DisplayName("topic has no durable subscriptions")
    void durable() throws Exception {
        Session theirs = auto(named(name()));
        Topic topic = session.createTopic("ActiveMQ.Advisory.Connection");
        assertThrows(JMSException.class, () -> theirs.createDurableSubscriber(topic, "s"));
    }
}
