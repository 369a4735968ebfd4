package keepmq;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.XAConnectionFactory;
import java.io.FileInputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.ActiveMQSslConnectionFactory;
import org.apache.activemq.ActiveMQXAConnectionFactory;
import org.apache.activemq.ActiveMQXASslConnectionFactory;
import org.apache.activemq.broker.BrokerPlugin;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.broker.TransportConnector;
import org.apache.activemq.broker.region.policy.PolicyEntry;
import org.apache.activemq.broker.region.policy.PolicyMap;
import org.apache.activemq.filter.DestinationMapEntry;
import org.apache.activemq.security.AuthenticationUser;
import org.apache.activemq.security.AuthorizationEntry;
import org.apache.activemq.security.AuthorizationPlugin;
import org.apache.activemq.security.DefaultAuthorizationMap;
import org.apache.activemq.security.SimpleAuthenticationPlugin;

/** The broker that is tested: the one that the environment names, or one of the original as the reference. */
final class Broker {
    static final String USER;
    static final String PASSWORD;
    private static final String URL;
    private static int stompPort;

    private Broker() {}

    static {
        if (Boolean.getBoolean("reference")) {
            USER = "admin";
            PASSWORD = "admin-of-the-reference";
            URL = reference();
        } else {
            USER = System.getenv("KEEPMQ_USER");
            PASSWORD = System.getenv("KEEPMQ_PASSWORD");
            URL = System.getenv("KEEPMQ_OPENWIRE_URL");
        }
    }

    private static String reference() {
        try {
            BrokerService broker = new BrokerService();
            broker.setDataDirectory(Files.createTempDirectory(Path.of("target"), "reference").toString());
            broker.setSchedulerSupport(true);
            broker.setUseJmx(false);
            broker.setDestinationPolicy(policies());
            List<AuthenticationUser> users = new ArrayList<>(List.of(new AuthenticationUser(USER, PASSWORD, "admins")));
            for (String[] other : new String[][] {{"shop", "shop"}, {"billing", "billing"}, {"guest", "guests"}}) {
                users.add(new AuthenticationUser(other[0], password(other[0]), other[1]));
            }
            broker.setPlugins(new BrokerPlugin[] {new SimpleAuthenticationPlugin(users), map()});
            TransportConnector openwire = broker.addConnector("tcp://127.0.0.1:0");
            TransportConnector stomp = broker.addConnector("stomp://127.0.0.1:0");
            broker.start();
            broker.waitUntilStarted();
            stompPort = stomp.getConnectUri().getPort();
            return openwire.getPublishableConnectString();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** What is off by default is on for destinations below {@code advised}. */
    private static PolicyMap policies() {
        PolicyEntry queues = new PolicyEntry();
        queues.setQueue("advised.>");
        PolicyEntry topics = new PolicyEntry();
        topics.setTopic("advised.>");
        for (PolicyEntry entry : List.of(queues, topics)) {
            entry.setAdvisoryForConsumed(true);
            entry.setAdvisoryForDelivery(true);
            entry.setSendAdvisoryIfNoConsumers(true);
        }
        PolicyMap map = new PolicyMap();
        map.setPolicyEntries(List.of(queues, topics));
        return map;
    }

    /** The rights that the wrapper's map gives: shop writes orders, which billing reads, and the guest may nothing. */
    private static AuthorizationPlugin map() throws Exception {
        List<DestinationMapEntry> entries = new ArrayList<>();
        for (boolean topic : new boolean[] {false, true}) {
            entries.add(entry(">", topic, "admins", "admins", "admins"));
        }
        entries.add(entry("ORDERS.>", false, "admins,billing", "admins,shop", "admins,shop,billing"));
        String all = "admins,shop,billing,guests";
        entries.add(entry("ActiveMQ.Advisory.>", true, all, all, all));
        return new AuthorizationPlugin(new DefaultAuthorizationMap(entries));
    }

    private static AuthorizationEntry entry(String name, boolean topic, String read, String write, String admin)
            throws Exception {
        AuthorizationEntry entry = new AuthorizationEntry();
        if (topic) {
            entry.setTopic(name);
        } else {
            entry.setQueue(name);
        }
        entry.setRead(read);
        entry.setWrite(write);
        entry.setAdmin(admin);
        return entry;
    }

    /** The password of one of the people of the map; null when there are none. */
    static String password(String user) {
        return Boolean.getBoolean("reference") ? user + "-of-the-reference" : System.getenv("KEEPMQ_PASSWORD_" + user);
    }

    /** A connection of one of the people of the map. */
    static ActiveMQConnection connect(String user) throws Exception {
        ActiveMQConnectionFactory factory = factory("");
        factory.setUserName(user);
        factory.setPassword(password(user));
        return start(factory);
    }

    /** A socket to the broker's STOMP listener. */
    static Socket stomp() throws Exception {
        if (Boolean.getBoolean("reference")) {
            return new Socket("127.0.0.1", stompPort);
        }
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust(System.getenv("KEEPMQ_CA")), null);
        return context.getSocketFactory().createSocket("localhost", Integer.parseInt(System.getenv("KEEPMQ_STOMP_PORT")));
    }

    private static TrustManager[] trust(String ca) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (FileInputStream pem = new FileInputStream(ca)) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        return trust.getTrustManagers();
    }

    /** A factory with these options, such as {@code jms.prefetchPolicy.all=1}. */
    static ActiveMQConnectionFactory factory(String options) throws Exception {
        String url = URL + (options.isEmpty() ? "" : "?" + options);
        return withTrust(url);
    }

    /** A factory that comes back when the connection breaks. */
    static ActiveMQConnectionFactory failover() throws Exception {
        return withTrust("failover:(" + URL + ")?maxReconnectAttempts=5");
    }

    /** Where the broker listens, without options. */
    static URI address() {
        return URI.create(URL);
    }

    /** A factory whose sessions take part in transactions of a transaction manager. */
    static XAConnectionFactory xa() throws Exception {
        String ca = System.getenv("KEEPMQ_CA");
        if (ca == null || Boolean.getBoolean("reference")) {
            return new ActiveMQXAConnectionFactory(USER, PASSWORD, URL);
        }
        ActiveMQXASslConnectionFactory factory = new ActiveMQXASslConnectionFactory(URL);
        factory.setUserName(USER);
        factory.setPassword(PASSWORD);
        factory.setKeyAndTrustManagers(null, trust(ca), null);
        return factory;
    }

    /** A factory for any address, which trusts the broker's certificates. */
    static ActiveMQConnectionFactory withTrust(String url) throws Exception {
        String ca = System.getenv("KEEPMQ_CA");
        if (ca == null || Boolean.getBoolean("reference")) {
            return new ActiveMQConnectionFactory(USER, PASSWORD, url);
        }
        ActiveMQSslConnectionFactory factory = new ActiveMQSslConnectionFactory(url);
        factory.setUserName(USER);
        factory.setPassword(PASSWORD);
        factory.setKeyAndTrustManagers(null, trust(ca), null);
        return factory;
    }

    /** A connection that is started. */
    static ActiveMQConnection connect() throws Exception {
        return start(factory(""));
    }

    static ActiveMQConnection start(ActiveMQConnectionFactory factory) throws JMSException {
        Connection connection = factory.createConnection();
        connection.start();
        return (ActiveMQConnection) connection;
    }
}
