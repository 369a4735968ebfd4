"""An OpenWire client that sends what it is told to, right or wrong: version 12, loose encoding, nothing cached.

It is driven by the protocol's tables, and shares no code with the broker.
"""

import itertools
import json
import struct
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from keepmq_testing.broker import Broker, User
from keepmq_testing.waiting import PATIENCE
from keepmq_testing.wire import Wire

Fields = dict[str, Any]

VERSION = 12
MAGIC = b"ActiveMQ"
STANDARD, INDIVIDUAL = 2, 4
BEGIN, PREPARE, COMMIT, COMMIT_PREPARED, ROLLBACK, RECOVER, END = 0, 1, 2, 3, 4, 5, 7

_TABLES = json.loads((Path(__file__).parents[2] / "crates/keepmq-openwire/openwire.json").read_text())
_BY_NAME = {kind["name"]: kind for kind in _TABLES["types"]}
_BY_CODE = {kind["code"]: kind for kind in _TABLES["types"]}
_NUMBERS = {"byte": ">b", "short": ">h", "int": ">i", "long": ">q"}
_connections = itertools.count(1)


class Refused(Exception):
    """The broker answered with an exception."""

    def __init__(self, fault: Fields) -> None:
        super().__init__(f"{fault['class']}: {fault['message']}")
        self.kind: str = fault["class"]
        self.text: str = fault["message"]


def _layout(kind: Fields) -> list[Fields]:
    names = next(one["fields"] for one in kind["layouts"] if one["from"] <= VERSION <= one["to"])
    fields = {field["name"]: field for field in kind["fields"]}
    return [fields[name] for name in names]


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def _value(kind: str, value: Any) -> bytes:
    """A field. Nothing is false, zero or absent."""
    if kind == "bool":
        return bytes([bool(value)])
    if kind in _NUMBERS:
        return struct.pack(_NUMBERS[kind], value or 0)
    if kind == "fixed_bytes":
        return value
    if value is None:
        return b"\0"
    if kind == "string":
        return b"\1" + _text(value)
    if kind == "bytes":
        return b"\1" + struct.pack(">i", len(value)) + value
    if kind == "array":
        return b"\1" + struct.pack(">h", len(value)) + b"".join(_value("nested", one) for one in value)
    if kind == "throwable":
        return b"\1" + _value("string", value["class"]) + _value("string", value["message"])
    return b"\1" + body(value["@type"], value)


def body(name: str, fields: Fields) -> bytes:
    """An object: its type and its fields."""
    kind = _BY_NAME[name]
    return bytes([kind["code"]]) + b"".join(_value(one["kind"], fields.get(one["name"])) for one in _layout(kind))


def frame(data: bytes) -> bytes:
    """With its length before it."""
    return struct.pack(">i", len(data)) + data


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        part = self.data[self.at : self.at + count]
        assert len(part) == count, "the frame is cut"
        self.at += count
        return part

    def number(self, form: str) -> int:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def value(self, kind: str) -> Any:
        if kind == "bool":
            return self.take(1) != b"\0"
        if kind in _NUMBERS:
            return self.number(_NUMBERS[kind])
        if kind == "fixed_bytes":
            return self.take(8)
        if self.take(1) == b"\0":
            return None
        readers: dict[str, Callable[[], Any]] = {
            "string": lambda: self.take(self.number(">H")).decode(errors="replace"),
            "bytes": lambda: self.take(self.number(">i")),
            "array": lambda: [self.value("nested") for _ in range(self.number(">h"))],
            "throwable": lambda: {"class": self.value("string"), "message": self.value("string")},
        }
        return readers.get(kind, self.object)()

    def object(self) -> Fields:
        kind = _BY_CODE[self.number(">B")]
        return {"@type": kind["name"]} | {one["name"]: self.value(one["kind"]) for one in _layout(kind)}


def queue(name: str) -> Fields:
    """A queue."""
    return {"@type": "ActiveMQQueue", "physicalName": name}


def topic(name: str) -> Fields:
    """A topic."""
    return {"@type": "ActiveMQTopic", "physicalName": name}


def content(message: Fields) -> bytes:
    """What a message carries: before a text stands its length."""
    data: bytes = message["content"] or b""
    return data[4:] if message["@type"] == "ActiveMQTextMessage" else data


class OpenWirePeer:
    """One connection, with a session, a producer and at most one consumer."""

    def __init__(self, wire: Wire, name: str | None = None) -> None:
        self.wire = wire
        self.held: list[Fields] = []
        self.name = name or f"ID:peer-{time.time_ns()}:{next(_connections)}"
        self.producer = {"@type": "ProducerId", "connectionId": self.name, "sessionId": 1, "value": 1}
        self.consumer = {"@type": "ConsumerId", "connectionId": self.name, "sessionId": 1, "value": 1}
        self._commands = itertools.count(1)
        self._messages = itertools.count(1)

    @classmethod
    def open(cls, broker: Broker, tls: bool = True, name: str | None = None) -> Self:
        """Connects and agrees on the wire format: without properties everything is off."""
        peer = cls(Wire.open(broker, "openwire", tls), name)
        peer.send("WireFormatInfo", magic=MAGIC, version=VERSION)
        peer.expect("WireFormatInfo")
        peer.expect("BrokerInfo")
        return peer

    @classmethod
    def login(
        cls,
        broker: Broker,
        user: User | None = None,
        tls: bool = True,
        client_id: str | None = None,
        again: str | None = None,
    ) -> Self:
        """Connects, logs in, and has a session and a producer. `again`: as the failover transport does, by this name."""
        peer = cls.open(broker, tls, again)
        who = user or broker.admin
        peer.ask(
            "ConnectionInfo",
            connectionId={"@type": "ConnectionId", "value": peer.name},
            clientId=client_id or peer.name,
            userName=who.name,
            password=who.password,
            faultTolerant=again is not None,
            failoverReconnect=again is not None,
        )
        peer.ask("SessionInfo", sessionId={"@type": "SessionId", "connectionId": peer.name, "value": 1})
        peer.ask("ProducerInfo", producerId=peer.producer)
        return peer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wire.close()

    def send(self, name: str, **fields: Any) -> None:
        """Sends a command."""
        self.wire.send(frame(body(name, fields)))

    def read(self, within: float = PATIENCE) -> Fields:
        """The next command."""
        return self.held.pop(0) if self.held else self._read(time.monotonic() + within)

    def _read(self, deadline: float) -> Fields:
        while len(self.wire.unread) < 4 or len(self.wire.unread) < 4 + self._claim():
            self.wire.fill(deadline)
        data = bytes(self.wire.unread[4 : 4 + self._claim()])
        del self.wire.unread[: 4 + len(data)]
        return _Reader(data).object()

    def _claim(self) -> int:
        return int.from_bytes(self.wire.unread[:4], "big")

    def expect(self, name: str, within: float = PATIENCE, **wanted: Any) -> Fields:
        """The next command of this type with these fields; others are kept for later. Exceptions are raised."""
        deadline = time.monotonic() + within

        def fits(one: Fields) -> bool:
            return one["@type"] == name and all(one[key] == value for key, value in wanted.items())

        for place, one in enumerate(self.held):
            if fits(one):
                return self.held.pop(place)
        while True:
            one = self._read(deadline)
            if fits(one):
                return one
            if one["@type"] in ("ExceptionResponse", "ConnectionError"):
                raise Refused(one["exception"])
            self.held.append(one)

    def request(self, name: str, **fields: Any) -> int:
        """Sends a command that is to be answered; returns its number."""
        number = next(self._commands)
        self.send(name, commandId=number, responseRequired=True, **fields)
        return number

    def ask(self, name: str, **fields: Any) -> Fields:
        """Sends a command and waits for its answer."""
        return self.expect("Response", correlationId=self.request(name, **fields))

    def message(self, destination: Fields, data: bytes, tx: Fields | None = None, **more: Any) -> Fields:
        """The fields of a persistent message."""
        message_id = {"@type": "MessageId", "producerId": self.producer, "producerSequenceId": next(self._messages)}
        return {
            "producerId": self.producer,
            "destination": destination,
            "messageId": message_id,
            "transactionId": tx,
            "persistent": True,
            "priority": 4,
            "content": data,
        } | more

    def publish(self, destination: Fields, data: bytes = b"", **more: Any) -> None:
        """Sends a persistent message and waits until it is safe."""
        self.ask("ActiveMQBytesMessage", **self.message(destination, data, **more))

    def transaction(self, number: int) -> Fields:
        """The name of a transaction."""
        connection = {"@type": "ConnectionId", "value": self.name}
        return {"@type": "LocalTransactionId", "value": number, "connectionId": connection}

    def transact(self, operation: int, tx: Fields | None, answer: str = "Response") -> Fields:
        """Begins, prepares or ends a transaction, or asks for those that are prepared; returns the answer."""
        connection = {"@type": "ConnectionId", "value": self.name}
        number = self.request("TransactionInfo", connectionId=connection, transactionId=tx, type=operation)
        return self.expect(answer, correlationId=number)

    def subscribe(self, destination: Fields, prefetch: int = 50, **more: Any) -> None:
        """Consumes."""
        self.ask("ConsumerInfo", consumerId=self.consumer, destination=destination, prefetchSize=prefetch, **more)

    def delivery(self, within: float = PATIENCE) -> Fields:
        """The next message that is dispatched."""
        return self.expect("MessageDispatch", within)

    def acknowledge(self, dispatch: Fields, tx: Fields | None = None) -> int:
        """Acknowledges one message; returns the number of the command."""
        return self.request(
            "MessageAck",
            consumerId=self.consumer,
            destination=dispatch["destination"],
            ackType=INDIVIDUAL,
            lastMessageId=dispatch["message"]["messageId"],
            transactionId=tx,
            messageCount=1,
        )
