package keepmq;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.TrustManagerFactory;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.ActiveMQSslConnectionFactory;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.security.AuthenticationUser;
import org.apache.activemq.security.SimpleAuthenticationPlugin;

/** The broker that is tested: the one that the environment names, or one of the original as the reference. */
final class Broker {
    static final String USER;
    static final String PASSWORD;
    private static final String URL;

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
            broker.setPersistent(false);
            broker.setUseJmx(false);
            AuthenticationUser user = new AuthenticationUser(USER, PASSWORD, "admins");
            broker.setPlugins(new org.apache.activemq.broker.BrokerPlugin[] {
                new SimpleAuthenticationPlugin(java.util.List.of(user))
            });
            String url = broker.addConnector("tcp://127.0.0.1:0").getPublishableConnectString();
            broker.start();
            broker.waitUntilStarted();
            return url;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
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

    private static ActiveMQConnectionFactory withTrust(String url) throws Exception {
        String ca = System.getenv("KEEPMQ_CA");
        if (ca == null || Boolean.getBoolean("reference")) {
            return new ActiveMQConnectionFactory(USER, PASSWORD, url);
        }
        ActiveMQSslConnectionFactory factory = new ActiveMQSslConnectionFactory(url);
        factory.setUserName(USER);
        factory.setPassword(PASSWORD);
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (FileInputStream pem = new FileInputStream(ca)) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        factory.setKeyAndTrustManagers(null, trust.getTrustManagers(), null);
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
