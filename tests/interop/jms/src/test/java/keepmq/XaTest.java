package keepmq;

import static org.junit.jupiter.api.Assertions.*;

import jakarta.jms.*;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A transaction of a transaction manager")
class XaTest extends Jms {
    private record Id(byte[] getGlobalTransactionId) implements Xid {
        @Override
        public int getFormatId() {
            return 86;
        }

        @Override
        public byte[] getBranchQualifier() {
            return "branch".getBytes(StandardCharsets.UTF_8);
        }
    }

    private XAConnection managed;
    private XASession work;
    private XAResource resource;
    private Queue queue;
    private Xid xid;

    @BeforeEach
    void connect() throws Exception {
        managed = Broker.xa().createXAConnection();
        managed.start();
        work = managed.createXASession();
        resource = work.getXAResource();
        queue = queue();
        xid = id();
    }

    @AfterEach
    void disconnect() throws JMSException {
        managed.close();
    }

    private static Xid id() {
        return new Id(name().getBytes(StandardCharsets.UTF_8));
    }

    private void sendIn(Xid transaction, String text) throws Exception {
        resource.start(transaction, XAResource.TMNOFLAGS);
        work.createProducer(queue).send(work.createTextMessage(text));
        resource.end(transaction, XAResource.TMSUCCESS);
    }

    private String left() throws JMSException {
        MessageConsumer consumer = session.createConsumer(queue);
        Message got = receiveNone(consumer);
        consumer.close();
        return got == null ? null : text(got);
    }

    private static boolean inDoubt(XAResource resource, Xid xid) throws XAException {
        List<Xid> found = Arrays.asList(resource.recover(XAResource.TMSTARTRSCAN | XAResource.TMENDRSCAN));
        return found.stream()
            .anyMatch(one -> Arrays.equals(one.getGlobalTransactionId(), xid.getGlobalTransactionId()));
    }

    @Test
    @DisplayName("sends at its commit in one phase")
    void onePhase() throws Exception {
        sendIn(xid, "x");
        assertNull(left());
        resource.commit(xid, true);
        assertEquals("x", left());
    }

    @Test
    @DisplayName("sends at its commit in two phases")
    void twoPhases() throws Exception {
        sendIn(xid, "x");
        assertEquals(XAResource.XA_OK, resource.prepare(xid));
        assertNull(left());
        resource.commit(xid, false);
        assertEquals("x", left());
    }

    @Test
    @DisplayName("sends nothing when it is rolled back after its preparation")
    void rollback() throws Exception {
        sendIn(xid, "x");
        resource.prepare(xid);
        resource.rollback(xid);
        assertNull(left());
    }

    @Test
    @DisplayName("sends nothing when it is rolled back without one")
    void rollbackAtOnce() throws Exception {
        sendIn(xid, "x");
        resource.rollback(xid);
        assertNull(left());
    }

    @Test
    @DisplayName("takes what it received at its commit only")
    void receives() throws Exception {
        send(queue, "x");
        for (boolean commits : new boolean[] {false, true}) {
            resource.start(xid, XAResource.TMNOFLAGS);
            MessageConsumer consumer = work.createConsumer(queue);
            assertEquals("x", receive(consumer));
            resource.end(xid, XAResource.TMSUCCESS);
            resource.prepare(xid);
            consumer.close();
            assertNull(left(), "it is held");
            if (commits) {
                resource.commit(xid, false);
            } else {
                resource.rollback(xid);
            }
            xid = id();
        }
        assertNull(left());
    }

    @Test
    @DisplayName("that is prepared outlives its connection, is listed and can be committed by another")
    void recover() throws Exception {
        sendIn(xid, "x");
        resource.prepare(xid);
        managed.close();
        XAConnection other = Broker.xa().createXAConnection();
        try {
            other.start();
            XAResource manager = other.createXASession().getXAResource();
            assertTrue(inDoubt(manager, xid));
            assertNull(left());
            manager.commit(xid, false);
            assertFalse(inDoubt(manager, xid));
            assertEquals("x", left());
        } finally {
            other.close();
        }
    }

    @Test
    @DisplayName("that is not prepared ends with its connection")
    void closed() throws Exception {
        sendIn(xid, "x");
        managed.close();
        assertNull(left());
    }

    @Test
    @DisplayName("that nobody knows cannot be committed or rolled back")
    void unknown() {
        XAException refusal = assertThrows(XAException.class, () -> resource.commit(xid, false));
        assertEquals(XAException.XAER_NOTA, refusal.errorCode, refusal.toString());
        refusal = assertThrows(XAException.class, () -> resource.rollback(id()));
        assertEquals(XAException.XAER_NOTA, refusal.errorCode, refusal.toString());
    }

    @Test
    @DisplayName("that is suspended goes on when it is resumed")
    void suspend() throws Exception {
        resource.start(xid, XAResource.TMNOFLAGS);
        work.createProducer(queue).send(work.createTextMessage("a"));
        resource.end(xid, XAResource.TMSUSPEND);
        resource.start(xid, XAResource.TMRESUME);
        work.createProducer(queue).send(work.createTextMessage("b"));
        resource.end(xid, XAResource.TMSUCCESS);
        resource.commit(xid, true);
        assertEquals("a", left());
        assertEquals("b", left());
    }

    @Test
    @DisplayName("is one after the other on one session")
    void several() throws Exception {
        for (int n = 0; n < 10; n++) {
            Xid next = id();
            sendIn(next, "m" + n);
            resource.commit(next, true);
            assertEquals("m" + n, left());
        }
    }

    @Test
    @DisplayName("knows that two connections lead to one broker")
    void sameManager() throws Exception {
        XAConnection other = Broker.xa().createXAConnection();
        try {
            other.start();
            assertTrue(resource.isSameRM(other.createXASession().getXAResource()));
        } finally {
            other.close();
        }
    }
}
