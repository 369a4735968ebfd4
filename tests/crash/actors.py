"""Publishers and receivers: each a thread and a connection for one life of the broker, with a memory for all of them."""

import threading

from crash.ledger import Ledger, Receiver
from keepmq_testing import mqtt_peer as mqtt
from keepmq_testing import openwire_peer as openwire
from keepmq_testing.broker import Broker
from keepmq_testing.mqtt_peer import MqttPeer
from keepmq_testing.openwire_peer import OpenWirePeer
from keepmq_testing.stomp_peer import StompError, StompPeer
from keepmq_testing.wire import Closed

WINDOW = 16


def body_of(message: str, size: int) -> bytes:
    """A message's name, made longer."""
    return message.ljust(size, ".").encode()


def message_in(body: bytes) -> str:
    """The name of the message with this body."""
    return body.decode().rstrip(".")


class Actor:
    """Does something over a connection until the broker is gone."""

    def __init__(self, broker: Broker, name: str) -> None:
        self.broker, self.name = broker, name
        self.error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self.ready = threading.Event()

    def start(self) -> None:
        """Begins with a new connection."""
        self.ready.clear()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Waits until it has noticed that the broker is gone."""
        if self._thread is not None:
            self._thread.join(30)
            assert not self._thread.is_alive(), f"{self.name} does not end"
            self._thread = None
        if self.error is not None:
            raise AssertionError(f"{self.name}: {self.error!r}") from self.error

    def _run(self) -> None:
        try:
            self.act()
        except (Closed, ConnectionRefusedError):
            pass
        except StompError as error:
            # In order to end in order the broker says so first.
            if "shutting down" not in str(error):
                self.error = error
        except BaseException as error:
            self.error = error
        finally:
            self.ready.set()

    def act(self) -> None:
        """What it does."""
        raise NotImplementedError


class StompPublisher(Actor):
    """Persistent messages with receipts, some of them under way at a time. What was not confirmed is not sent again."""

    def __init__(self, broker: Broker, name: str, destination: str, ledger: Ledger, size: int) -> None:
        super().__init__(broker, name)
        self.destination, self.ledger, self.size = destination, ledger, size
        self.number = 0

    def act(self) -> None:
        peer = StompPeer.login(self.broker, tls=False)
        self.ready.set()
        under_way = 0
        while True:
            while under_way < WINDOW:
                self.number += 1
                message = f"{self.name}-{self.number}"
                self.ledger.sending(message)
                headers = {"destination": self.destination, "persistent": "true", "receipt": message}
                under_way += 1
                peer.send("SEND", headers, body_of(message, self.size))
            while under_way >= WINDOW // 2:
                self.ledger.confirm(peer.expect("RECEIPT")["receipt-id"])
                under_way -= 1


class Transactions(Actor):
    """Transactions of several messages: all or none."""

    MESSAGES = 5

    def __init__(self, broker: Broker, name: str, destination: str, ledger: Ledger) -> None:
        super().__init__(broker, name)
        self.destination, self.ledger = destination, ledger
        self.number = 0
        self.all: list[list[str]] = []

    def next_bodies(self) -> list[str]:
        """Those of the next transaction."""
        self.number += 1
        bodies = [f"{self.name}-{self.number}-{part}" for part in range(self.MESSAGES)]
        self.all.append(bodies)
        return bodies

    def torn(self, receiver: Receiver) -> list[list[str]]:
        """Transactions of which some messages came and others did not."""
        counts = [(bodies, sum(bool(receiver.deliveries[body]) for body in bodies)) for bodies in self.all]
        return [bodies for bodies, count in counts if count not in (0, self.MESSAGES)]


class StompTransactions(Transactions):
    """Transactions over STOMP."""

    def act(self) -> None:
        peer = StompPeer.login(self.broker, tls=False)
        self.ready.set()
        while True:
            bodies = self.next_bodies()
            peer.send("BEGIN", {"transaction": "t"})
            for body in bodies:
                self.ledger.sending(body)
                headers = {"destination": self.destination, "persistent": "true", "transaction": "t"}
                peer.send("SEND", headers, body.encode())
            peer.do("COMMIT", {"transaction": "t"})
            for body in bodies:
                self.ledger.confirm(body)


class StompConsumer(Actor):
    """Acknowledges each message and notes which acknowledgements were confirmed."""

    def __init__(
        self, broker: Broker, name: str, destination: str, receiver: Receiver, client_id: str = ""
    ) -> None:
        super().__init__(broker, name)
        self.destination, self.receiver, self.client_id = destination, receiver, client_id

    def act(self) -> None:
        held = {"client_id": self.client_id} if self.client_id else {}
        peer = StompPeer.login(self.broker, tls=False, **held)
        headers = {"destination": self.destination, "id": "1", "ack": "client-individual"}
        headers["activemq.prefetchSize"] = "50"
        if self.client_id:
            headers["activemq.subscriptionName"] = "crash"
        peer.do("SUBSCRIBE", headers)
        self.ready.set()
        while True:
            frame = peer.read(within=60)
            if frame.command == "MESSAGE":
                message = message_in(frame.body)
                self.receiver.deliver(message)
                peer.send("ACK", {"id": frame["ack"], "receipt": message})
            elif frame.command == "RECEIPT":
                self.receiver.settle(frame["receipt-id"])
            else:
                raise StompError(frame)


class OpenWirePublisher(Actor):
    """Persistent messages, each waited for. What was not confirmed is not sent again."""

    def __init__(self, broker: Broker, name: str, queue: str, ledger: Ledger, size: int) -> None:
        super().__init__(broker, name)
        self.queue, self.ledger, self.size = openwire.queue(queue), ledger, size
        self.number = 0

    def act(self) -> None:
        peer = OpenWirePeer.login(self.broker, tls=False)
        self.ready.set()
        under_way: dict[int, str] = {}
        while True:
            while len(under_way) < WINDOW:
                self.number += 1
                message = f"{self.name}-{self.number}"
                self.ledger.sending(message)
                fields = peer.message(self.queue, body_of(message, self.size))
                under_way[peer.request("ActiveMQBytesMessage", **fields)] = message
            answer = peer.expect("Response", within=60)
            self.ledger.confirm(under_way.pop(answer["correlationId"]))


class OpenWireResender(Actor):
    """As the failover transport: what was not confirmed is sent again over the next connection, and comes once."""

    def __init__(self, broker: Broker, name: str, queue: str, ledger: Ledger) -> None:
        super().__init__(broker, name)
        self.queue, self.ledger = openwire.queue(queue), ledger
        self.number = 0
        # By the sender's number.
        self.unconfirmed: dict[int, str] = {}

    def act(self) -> None:
        peer = OpenWirePeer.login(self.broker, tls=False, again=f"ID:{self.name}:1")
        self.ready.set()
        under_way = {self._send(peer, number): number for number in self.unconfirmed}
        while True:
            while len(under_way) < WINDOW:
                self.number += 1
                self.unconfirmed[self.number] = f"{self.name}-{self.number}"
                self.ledger.sending(self.unconfirmed[self.number])
                under_way[self._send(peer, self.number)] = self.number
            answer = peer.expect("Response", within=60)
            self.ledger.confirm(self.unconfirmed.pop(under_way.pop(answer["correlationId"])))

    def _send(self, peer: OpenWirePeer, number: int) -> int:
        fields = peer.message(self.queue, self.unconfirmed[number].encode())
        fields["messageId"]["producerSequenceId"] = number
        return peer.request("ActiveMQBytesMessage", **fields)


class OpenWireTransactions(Transactions):
    """Transactions over OpenWire."""

    def act(self) -> None:
        peer = OpenWirePeer.login(self.broker, tls=False)
        queue = openwire.queue(self.destination.removeprefix("/queue/"))
        self.ready.set()
        while True:
            bodies = self.next_bodies()
            tx = peer.transaction(self.number)
            peer.transact(openwire.BEGIN, tx)
            for body in bodies:
                self.ledger.sending(body)
                peer.send("ActiveMQBytesMessage", **peer.message(queue, body.encode(), tx))
            peer.transact(openwire.COMMIT, tx)
            for body in bodies:
                self.ledger.confirm(body)


class OpenWireBranches(Transactions):
    """Branches of global transactions, as their manager sees them: what it has decided to commit is committed in whatever
    life of the broker.

    Each takes a token from a queue and puts it back, so that there is always exactly one.
    """

    TOKENS = openwire.queue("crash.token")

    def __init__(self, broker: Broker, name: str, destination: str, ledger: Ledger) -> None:
        super().__init__(broker, name, destination, ledger)
        # By the number in their names.
        self.prepared: dict[int, list[str]] = {}
        self.rolled_back: list[list[str]] = []
        self.in_doubt = 0
        self.has_token = False

    def act(self) -> None:
        peer = OpenWirePeer.login(self.broker, tls=False)
        self._recover(peer)
        peer.subscribe(self.TOKENS)
        token = self._token(peer)
        self.ready.set()
        while True:
            bodies, branch = self.next_bodies(), _branch(self.number)
            peer.transact(openwire.BEGIN, branch)
            peer.acknowledge(token, branch)
            queue = openwire.queue(self.destination.removeprefix("/queue/"))
            for body in bodies:
                self.ledger.sending(body)
                peer.send("ActiveMQBytesMessage", **peer.message(queue, body.encode(), branch))
            peer.send("ActiveMQBytesMessage", **peer.message(self.TOKENS, b"token", branch))
            peer.transact(openwire.END, branch)
            peer.transact(openwire.PREPARE, branch, "IntegerResponse")
            self.prepared[self.number] = bodies
            peer.transact(openwire.COMMIT_PREPARED, branch)
            self._committed(self.number)
            token = peer.delivery()

    def torn(self, receiver: Receiver) -> list[list[str]]:
        """Also those that were rolled back and came."""
        came = [bodies for bodies in self.rolled_back if any(receiver.deliveries[body] for body in bodies)]
        return super().torn(receiver) + came

    def _recover(self, peer: OpenWirePeer) -> None:
        found = peer.transact(openwire.RECOVER, None, "DataArrayResponse")["data"]
        self.in_doubt += len(found)
        for branch in found:
            number = int(branch["globalTransactionId"])
            if number in self.prepared or number % 2:
                peer.transact(openwire.COMMIT_PREPARED, branch)
                self.prepared.setdefault(number, self.all[number - 1])
                self._committed(number)
            else:
                peer.transact(openwire.ROLLBACK, branch)
                self.rolled_back.append(self.all[number - 1])
        # The others were committed, though that was not said any more.
        for number in list(self.prepared):
            self._committed(number)

    def _committed(self, number: int) -> None:
        for body in self.prepared.pop(number):
            self.ledger.confirm(body)

    def _token(self, peer: OpenWirePeer) -> openwire.Fields:
        try:
            token = peer.delivery(10 if self.has_token else 1)
        except TimeoutError:
            assert not self.has_token, "the token is lost"
            peer.publish(self.TOKENS, b"token")
            token = peer.delivery()
        self.has_token = True
        assert not [one for one in peer.held if one["@type"] == "MessageDispatch"], "the token is there twice"
        return token


def _branch(number: int) -> openwire.Fields:
    return {
        "@type": "XATransactionId",
        "formatId": 1,
        "globalTransactionId": str(number).encode(),
        "branchQualifier": b"crash",
    }


class OpenWireConsumer(Actor):
    """Acknowledges each message by itself and notes which acknowledgements were confirmed."""

    def __init__(self, broker: Broker, name: str, queue: str, receiver: Receiver) -> None:
        super().__init__(broker, name)
        self.queue, self.receiver = openwire.queue(queue), receiver

    def act(self) -> None:
        peer = OpenWirePeer.login(self.broker, tls=False)
        peer.subscribe(self.queue)
        self.ready.set()
        under_way: dict[int, str] = {}
        while True:
            one = peer.read(within=60)
            if one["@type"] == "MessageDispatch":
                message = message_in(openwire.content(one["message"]))
                self.receiver.deliver(message)
                under_way[peer.acknowledge(one)] = message
            elif one["@type"] == "Response":
                self.receiver.settle(under_way.pop(one["correlationId"]))


class MqttPublisher(Actor):
    """Quality of service 1. What was not confirmed is sent again over the next connection."""

    def __init__(self, broker: Broker, name: str, topic: str, ledger: Ledger, size: int) -> None:
        super().__init__(broker, name)
        self.topic, self.ledger, self.size = topic, ledger, size
        self.number = 0
        self.under_way: dict[int, str] = {}

    def act(self) -> None:
        peer = MqttPeer.login(self.broker, tls=False, client_id=self.name)
        for number, message in self.under_way.items():
            self._send(peer, number, message, duplicate=True)
        self.ready.set()
        while True:
            while len(self.under_way) < WINDOW:
                self.number += 1
                message = f"{self.name}-{self.number}"
                self._send(peer, self.number % 65535 + 1, message, duplicate=False)
            number = peer.expect(mqtt.PUBACK, within=60).number
            self.ledger.confirm(self.under_way.pop(number))

    def _send(self, peer: MqttPeer, number: int, message: str, duplicate: bool) -> None:
        self.under_way[number] = message
        self.ledger.sending(message)
        peer.send(mqtt.publish(self.topic, body_of(message, self.size), 1, number, duplicate=duplicate))


class ExactPublisher(Actor):
    """Quality of service 2 in a session that stays: what is under way goes on where it was."""

    def __init__(self, broker: Broker, name: str, topic: str, ledger: Ledger) -> None:
        super().__init__(broker, name)
        self.topic, self.ledger = topic, ledger
        self.number = 0
        # By packet identifier: a body until PUBREC came, then nothing until PUBCOMP came.
        self.publishing: dict[int, str] = {}
        self.releasing: dict[int, str] = {}
        self.is_winding_up = False

    def act(self) -> None:
        peer = MqttPeer.login(self.broker, tls=False, client_id=self.name, clean=False)
        for number, body in self.publishing.items():
            peer.send(mqtt.publish(self.topic, body.encode(), 2, number, duplicate=True))
        for number in self.releasing:
            peer.send(mqtt.packet(mqtt.PUBREL, number.to_bytes(2), 2))
        self.ready.set()
        while self.publishing or self.releasing or not self.is_winding_up:
            while len(self.publishing) + len(self.releasing) < WINDOW and not self.is_winding_up:
                self.number += 1
                number, body = self.number % 65535 + 1, f"{self.name}-{self.number}"
                self.publishing[number] = body
                self.ledger.sending(body)
                peer.send(mqtt.publish(self.topic, body.encode(), 2, number))
            packet = peer.read(within=60)
            if packet.kind == mqtt.PUBREC:
                if packet.number in self.publishing:
                    self.releasing[packet.number] = self.publishing.pop(packet.number)
                    self.ledger.confirm(self.releasing[packet.number])
                peer.send(mqtt.packet(mqtt.PUBREL, packet.number.to_bytes(2), 2))
            elif packet.kind == mqtt.PUBCOMP:
                self.releasing.pop(packet.number, None)
        peer.disconnect()


class MqttSession(Actor):
    """A session that stays, with subscriptions of quality of service 1 and 2."""

    def __init__(self, broker: Broker, name: str, receivers: dict[str, Receiver]) -> None:
        super().__init__(broker, name)
        self.receivers = receivers
        self.is_known = False
        # Packet identifiers of quality of service 2 that were delivered and not released. A client keeps them safe.
        self.delivered: set[int] = set()

    def act(self) -> None:
        peer = MqttPeer.login(self.broker, tls=False, client_id=self.name, clean=False)
        assert peer.session_present == self.is_known, "the session was forgotten"
        if not self.is_known:
            for topic, qos in (("crash/once", 1), ("crash/exact", 2)):
                assert peer.subscribe(topic, qos=qos) == [qos]
            self.is_known = True
        self.ready.set()
        while True:
            packet = peer.read(within=60)
            if packet.kind == mqtt.PUBLISH:
                peer.held.append(packet)
                self._take(peer)
            elif packet.kind == mqtt.PUBREL:
                self.delivered.discard(packet.number)
                peer.send(mqtt.packet(mqtt.PUBCOMP, packet.number.to_bytes(2)))

    def _take(self, peer: MqttPeer) -> None:
        message = peer.message(answer=False)
        number = message.number.to_bytes(2)
        receiver = self.receivers[message.topic]
        if message.qos == 1:
            receiver.deliver(message_in(message.body))
            peer.send(mqtt.packet(mqtt.PUBACK, number))
            return
        if message.number not in self.delivered:
            self.delivered.add(message.number)
            receiver.deliver(message_in(message.body))
        peer.send(mqtt.packet(mqtt.PUBREC, number))


class RetainedPublisher(Actor):
    """Sets one topic's retained message to ever higher numbers."""

    TOPIC = "crash/retained"

    def __init__(self, broker: Broker, name: str) -> None:
        super().__init__(broker, name)
        self.sent = self.confirmed = 0

    def act(self) -> None:
        peer = MqttPeer.login(self.broker, tls=False)
        self.ready.set()
        while True:
            self.sent += 1
            peer.publish(self.TOPIC, str(self.sent).encode(), qos=1, retain=True)
            self.confirmed = self.sent

    def check(self) -> None:
        """What is kept is what was confirmed last, or came later."""
        with MqttPeer.login(self.broker, tls=False) as peer:
            peer.subscribe(self.TOPIC)
            if self.confirmed == 0:
                return
            kept = int(peer.message().body)
            assert self.confirmed <= kept <= self.sent, f"kept {kept}, confirmed {self.confirmed}, sent {self.sent}"
            self.confirmed = kept

