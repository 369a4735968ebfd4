"""An MQTT client that sends what it is told to, right or wrong."""

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from keepmq_testing.broker import Broker, User
from keepmq_testing.waiting import PATIENCE
from keepmq_testing.wire import Wire

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = range(8, 15)

ACCEPTED, BAD_VERSION, BAD_ID, UNAVAILABLE, BAD_LOGIN, NOT_AUTHORIZED = range(6)


@dataclass(frozen=True)
class Packet:
    """A packet that came."""

    kind: int
    flags: int
    body: bytes

    @property
    def number(self) -> int:
        """Its packet identifier, where that comes first."""
        return int.from_bytes(self.body[:2])


@dataclass(frozen=True)
class Message:
    """A PUBLISH that came."""

    topic: str
    body: bytes
    qos: int
    retain: bool
    duplicate: bool
    number: int


class Refused(Exception):
    """The broker said no to a CONNECT."""

    def __init__(self, code: int) -> None:
        super().__init__(f"CONNACK {code}")
        self.code = code


def length(count: int) -> bytes:
    """A remaining length."""
    out = bytearray()
    while True:
        count, digit = divmod(count, 128)
        out.append(digit | (128 if count else 0))
        if not count:
            return bytes(out)


def text(value: str | bytes) -> bytes:
    """A string with its length."""
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2) + data


def packet(kind: int, body: bytes = b"", flags: int = 0) -> bytes:
    """The bytes of a packet."""
    return bytes([kind << 4 | flags]) + length(len(body)) + body


def connect(
    user: User | None,
    client_id: str = "",
    clean: bool = True,
    keep_alive: int = 0,
    level: int = 4,
    will: tuple[str, bytes, int, bool] | None = None,
) -> bytes:
    """A CONNECT."""
    flags = 2 if clean else 0
    tail = text(client_id)
    if will is not None:
        topic, body, qos, retain = will
        flags |= 4 | qos << 3 | (32 if retain else 0)
        tail += text(topic) + text(body)
    if user is not None:
        flags |= 0xC0
        tail += text(user.name) + text(user.password)
    name = {3: "MQIsdp"}.get(level, "MQTT")
    return packet(CONNECT, text(name) + bytes([level, flags]) + keep_alive.to_bytes(2) + tail)


def publish(
    topic: str | bytes, body: bytes, qos: int = 0, number: int = 0, retain: bool = False, duplicate: bool = False
) -> bytes:
    """A PUBLISH."""
    flags = qos << 1 | int(retain) | (8 if duplicate else 0)
    return packet(PUBLISH, text(topic) + (number.to_bytes(2) if qos else b"") + body, flags)


class MqttPeer:
    """One connection."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.held: list[Packet] = []
        self.session_present = False
        self._number = 0

    @classmethod
    def open(cls, broker: Broker, tls: bool = True) -> Self:
        """Connects, and says nothing."""
        return cls(Wire.open(broker, "mqtt", tls))

    @classmethod
    def login(
        cls,
        broker: Broker,
        user: User | None = None,
        tls: bool = True,
        client_id: str = "",
        clean: bool = True,
        keep_alive: int = 0,
        level: int = 4,
        will: tuple[str, bytes, int, bool] | None = None,
    ) -> Self:
        """Connects and logs in."""
        peer = cls.open(broker, tls)
        peer.send(connect(user or broker.admin, client_id, clean, keep_alive, level, will))
        answer = peer.expect(CONNACK)
        if answer.body[1] != ACCEPTED:
            peer.wire.close()
            raise Refused(answer.body[1])
        peer.session_present = bool(answer.body[0] & 1)
        return peer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wire.close()

    def send(self, data: bytes) -> None:
        """Sends bytes."""
        self.wire.send(data)

    def read(self, within: float = PATIENCE) -> Packet:
        """The next packet."""
        if self.held:
            return self.held.pop(0)
        return self._read(time.monotonic() + within)

    def _read(self, deadline: float) -> Packet:
        while True:
            found = self._cut()
            if found is not None:
                return found
            self.wire.fill(deadline)

    def _cut(self) -> Packet | None:
        unread = self.wire.unread
        count, shift, at = 0, 0, 1
        while True:
            if len(unread) <= at:
                return None
            count |= (unread[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if not unread[at - 1] & 128:
                break
        if len(unread) < at + count:
            return None
        found = Packet(unread[0] >> 4, unread[0] & 15, bytes(unread[at : at + count]))
        del unread[: at + count]
        return found

    def expect(self, kind: int, number: int | None = None, within: float = PATIENCE) -> Packet:
        """The next packet of this kind and number; others are kept for later."""
        deadline = time.monotonic() + within

        def fits(one: Packet) -> bool:
            return one.kind == kind and number in (None, one.number)

        for place, one in enumerate(self.held):
            if fits(one):
                return self.held.pop(place)
        while True:
            one = self._read(deadline)
            if fits(one):
                return one
            self.held.append(one)

    def next_number(self) -> int:
        """A packet identifier."""
        self._number = self._number % 65535 + 1
        return self._number

    def publish(self, topic: str, body: bytes, qos: int = 1, retain: bool = False) -> None:
        """Publishes, and waits for the answers that its quality of service brings."""
        number = self.next_number()
        self.send(publish(topic, body, qos, number, retain))
        if qos == 1:
            self.expect(PUBACK, number)
        if qos == 2:
            self.expect(PUBREC, number)
            self.send(packet(PUBREL, number.to_bytes(2), 2))
            self.expect(PUBCOMP, number)

    def subscribe(self, *filters: str, qos: int = 1) -> list[int]:
        """Subscribes; returns the codes of the answer."""
        number = self.next_number()
        body = b"".join(text(one) + bytes([qos]) for one in filters)
        self.send(packet(SUBSCRIBE, number.to_bytes(2) + body, 2))
        return list(self.expect(SUBACK, number).body[2:])

    def unsubscribe(self, *filters: str) -> None:
        """Ends subscriptions."""
        number = self.next_number()
        self.send(packet(UNSUBSCRIBE, number.to_bytes(2) + b"".join(map(text, filters)), 2))
        self.expect(UNSUBACK, number)

    def message(self, within: float = PATIENCE, answer: bool = True) -> Message:
        """The next message. It is acknowledged, unless that is not wanted."""
        found = self.expect(PUBLISH, within=within)
        qos = found.flags >> 1 & 3
        end = 2 + int.from_bytes(found.body[:2])
        number = int.from_bytes(found.body[end : end + 2]) if qos else 0
        body = found.body[end + 2 :] if qos else found.body[end:]
        message = Message(
            found.body[2:end].decode(), body, qos, bool(found.flags & 1), bool(found.flags & 8), number
        )
        if answer:
            self.acknowledge(message)
        return message

    def acknowledge(self, message: Message) -> None:
        """Says what the message's quality of service demands."""
        number = message.number.to_bytes(2)
        if message.qos == 1:
            self.send(packet(PUBACK, number))
        if message.qos == 2:
            self.send(packet(PUBREC, number))
            self.expect(PUBREL, message.number)
            self.send(packet(PUBCOMP, number))

    def ping(self) -> None:
        """Asks whether the broker is there. Everything that was on its way before the answer has come then."""
        self.send(packet(PINGREQ))
        self.expect(PINGRESP)

    def nothing_comes(self) -> None:
        """Nothing is on its way."""
        self.ping()
        assert self.held == [], f"something came: {self.held}"

    def disconnect(self) -> None:
        """Says good-bye."""
        self.send(packet(DISCONNECT))
        self.wire.wait_closed()
        self.wire.close()
