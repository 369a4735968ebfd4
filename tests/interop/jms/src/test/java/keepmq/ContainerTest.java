package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.springframework.jms.connection.CachingConnectionFactory;
import org.springframework.jms.connection.JmsTransactionManager;
import org.springframework.jms.listener.DefaultMessageListenerContainer;
import org.springframework.jms.listener.SimpleMessageListenerContainer;
import org.springframework.jms.listener.adapter.MessageListenerAdapter;

@DisplayName("Spring's listener container")
class ContainerTest extends Jms {
    private DefaultMessageListenerContainer container = new DefaultMessageListenerContainer();
    private CachingConnectionFactory caching;
    private final LinkedBlockingQueue<String> seen = new LinkedBlockingQueue<>();

    @AfterEach
    void stop() {
        container.shutdown();
        if (caching != null) {
            caching.destroy();
        }
    }

    private static ActiveMQConnectionFactory factory() throws Exception {
        ActiveMQConnectionFactory factory = Broker.factory("");
        factory.getRedeliveryPolicy().setInitialRedeliveryDelay(0);
        factory.getRedeliveryPolicy().setRedeliveryDelay(0);
        return factory;
    }

    private void listen(ConnectionFactory factory, Destination destination, Object listener) {
        container.setConnectionFactory(factory);
        container.setDestination(destination);
        container.setMessageListener(listener);
        container.setReceiveTimeout(200);
        container.setRecoveryInterval(200);
        container.afterPropertiesSet();
        container.start();
    }

    private MessageListener collect() {
        return message -> {
            try {
                seen.add(text(message));
            } catch (JMSException e) {
                throw new RuntimeException(e);
            }
        };
    }

    private String next() throws InterruptedException {
        return seen.poll(PATIENCE, TimeUnit.MILLISECONDS);
    }

    /** Fails at the first try of each message. */
    private MessageListener failingOnce() {
        return message -> {
            try {
                seen.add(text(message) + " " + message.getIntProperty("JMSXDeliveryCount"));
                if (!message.getJMSRedelivered()) {
                    throw new IllegalArgumentException("try again");
                }
            } catch (JMSException e) {
                throw new RuntimeException(e);
            }
        };
    }

    @Test
    @DisplayName("hands messages to its listener in order")
    void order() throws Exception {
        Queue queue = queue();
        listen(factory(), queue, collect());
        send(queue, "a", "b", "c");
        assertEquals("a", next());
        assertEquals("b", next());
        assertEquals("c", next());
    }

    @Test
    @DisplayName("works on a caching factory, with consumers cached")
    void cached() throws Exception {
        Queue queue = queue();
        caching = new CachingConnectionFactory(factory());
        caching.setCacheConsumers(true);
        container.setCacheLevelName("CACHE_CONSUMER");
        listen(caching, queue, collect());
        send(queue, "a", "b");
        assertEquals("a", next());
        assertEquals("b", next());
    }

    @Test
    @DisplayName("works with a new connection for each message as well")
    void cacheNone() throws Exception {
        Queue queue = queue();
        container.setCacheLevelName("CACHE_NONE");
        listen(factory(), queue, collect());
        send(queue, "a", "b");
        assertEquals("a", next());
        assertEquals("b", next());
    }

    @Test
    @DisplayName("works with a new consumer for each message as well")
    void cacheSession() throws Exception {
        Queue queue = queue();
        container.setCacheLevelName("CACHE_SESSION");
        listen(factory(), queue, collect());
        send(queue, "a", "b", "c");
        assertEquals("a", next());
        assertEquals("b", next());
        assertEquals("c", next());
    }

    @Test
    @DisplayName("hands a message again whose transacted listener failed")
    void transacted() throws Exception {
        Queue queue = queue();
        container.setSessionTransacted(true);
        listen(factory(), queue, failingOnce());
        send(queue, "x");
        assertEquals("x 1", next());
        assertEquals("x 2", next());
        assertNull(seen.poll(MOMENT, TimeUnit.MILLISECONDS));
    }

    @Test
    @DisplayName("hands a message again under a transaction manager")
    void transactionManager() throws Exception {
        Queue queue = queue();
        ActiveMQConnectionFactory factory = factory();
        container.setSessionTransacted(true);
        container.setTransactionManager(new JmsTransactionManager(factory));
        listen(factory, queue, failingOnce());
        send(queue, "x");
        assertEquals("x 1", next());
        assertEquals("x 2", next());
    }

    @Test
    @DisplayName("works with several consumers at the same time")
    void concurrent() throws Exception {
        Queue queue = queue();
        Set<String> threads = ConcurrentHashMap.newKeySet();
        CountDownLatch all = new CountDownLatch(3);
        container.setConcurrentConsumers(3);
        ActiveMQConnectionFactory factory = factory();
        factory.getPrefetchPolicy().setAll(0);
        listen(factory, queue, (MessageListener) message -> {
            threads.add(Thread.currentThread().getName());
            all.countDown();
            try {
                all.await(PATIENCE, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                throw new RuntimeException(e);
            }
        });
        send(queue, "a", "b", "c");
        assertTrue(all.await(PATIENCE, TimeUnit.MILLISECONDS));
        assertEquals(3, threads.size());
    }

    @Test
    @DisplayName("takes only what its selector wants")
    void selector() throws Exception {
        Queue queue = queue();
        container.setMessageSelector("n > 1");
        listen(factory(), queue, collect());
        MessageProducer producer = session.createProducer(queue);
        for (int n = 1; n <= 3; n++) {
            TextMessage message = session.createTextMessage("m" + n);
            message.setIntProperty("n", n);
            producer.send(message);
        }
        assertEquals("m2", next());
        assertEquals("m3", next());
        assertEquals("m1", receive(session.createConsumer(queue)));
    }

    @Test
    @DisplayName("resumes a durable subscription when it comes again")
    void durable() throws Exception {
        Topic topic = topic();
        String id = name();
        for (String text : new String[] {"first", "second"}) {
            container = new DefaultMessageListenerContainer();
            container.setPubSubDomain(true);
            container.setSubscriptionDurable(true);
            container.setClientId(id);
            container.setDurableSubscriptionName("s");
            listen(factory(), topic, collect());
            if (text.equals("second")) {
                assertEquals("between", next());
            }
            eventually("it is registered", container::isRegisteredWithDestination);
            send(topic, text);
            assertEquals(text, next());
            container.shutdown();
            send(topic, "between");
        }
    }

    @Test
    @DisplayName("answers for a listener with a return value")
    void adapter() throws Exception {
        Queue queue = queue();
        MessageListenerAdapter adapter = new MessageListenerAdapter(new Object() {
            @SuppressWarnings("unused")
            public String handleMessage(String text) {
                return text + "!";
            }
        });
        listen(factory(), queue, adapter);
        TemporaryQueue replies = session.createTemporaryQueue();
        TextMessage request = session.createTextMessage("x");
        request.setJMSReplyTo(replies);
        session.createProducer(queue).send(request);
        Message answer = session.createConsumer(replies).receive(PATIENCE);
        assertEquals("x!", text(answer));
        assertEquals(request.getJMSMessageID(), answer.getJMSCorrelationID());
    }

    @Test
    @DisplayName("stops and starts without a loss")
    void stopAndStart() throws Exception {
        Queue queue = queue();
        listen(factory(), queue, collect());
        send(queue, "a");
        assertEquals("a", next());
        container.stop();
        CountDownLatch stopped = new CountDownLatch(1);
        container.stop(stopped::countDown);
        assertTrue(stopped.await(PATIENCE, TimeUnit.MILLISECONDS));
        send(queue, "b");
        container.start();
        assertEquals("b", next());
    }

    @Test
    @DisplayName("connects again when its connection broke")
    void broken() throws Exception {
        Queue queue = queue();
        try (Cable cable = new Cable()) {
            listen(Broker.withTrust(cable.url()), queue, collect());
            send(queue, "a");
            assertEquals("a", next());
            cable.cut();
            send(queue, "b");
            String text = next();
            // The acknowledgement of the first one may have been on its way.
            assertEquals("b", "a".equals(text) ? next() : text);
        }
    }

    @Test
    @DisplayName("of the simple kind feeds its listener too")
    void simple() throws Exception {
        Queue queue = queue();
        Consumer<SimpleMessageListenerContainer> setUp = simple -> {
            simple.setDestination(queue);
            simple.setMessageListener(collect());
            simple.setConcurrentConsumers(2);
        };
        SimpleMessageListenerContainer simple = new SimpleMessageListenerContainer();
        simple.setConnectionFactory(factory());
        setUp.accept(simple);
        simple.afterPropertiesSet();
        simple.start();
        try {
            send(queue, "a", "b");
            assertEquals(Set.of("a", "b"), Set.of(next(), next()));
        } finally {
            simple.shutdown();
        }
    }
}
