"""A STOMP client that sends what it is told to, right or wrong."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from keepmq_testing.broker import Broker, User
from keepmq_testing.waiting import PATIENCE
from keepmq_testing.wire import Closed, Wire

Headers = Mapping[str, str] | Iterable[tuple[str, str]]

_UNESCAPED = {"\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\c": ":"}


class StompError(Exception):
    """The broker answered with an ERROR frame."""

    def __init__(self, frame: "Frame") -> None:
        super().__init__(frame.get("message"))
        self.frame = frame


@dataclass(frozen=True)
class Frame:
    """A frame that came."""

    command: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def get(self, name: str) -> str:
        """The first header of this name; empty when there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def __getitem__(self, name: str) -> str:
        return dict(reversed(self.headers))[name]

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.headers)


def frame(command: str, headers: Headers = (), body: bytes = b"") -> bytes:
    """The bytes of a frame; headers are written as they are."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    lines = [command, *(f"{name}:{value}" for name, value in pairs)]
    return "\n".join(lines).encode() + b"\n\n" + body + b"\0"


def escape(text: str) -> str:
    """A header's name or value as STOMP 1.2 writes it."""
    for plain, escaped in (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), (":", "\\c")):
        text = text.replace(plain, escaped)
    return text


def unescape(text: str) -> str:
    """The opposite."""
    parts: list[str] = []
    at = 0
    while at < len(text):
        pair = text[at : at + 2]
        parts.append(_UNESCAPED.get(pair, text[at]))
        at += 2 if pair in _UNESCAPED else 1
    return "".join(parts)


class StompPeer:
    """One connection."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.held: list[Frame] = []
        self._receipts = 0

    @classmethod
    def open(cls, broker: Broker, tls: bool = True) -> Self:
        """Connects, and says nothing."""
        return cls(Wire.open(broker, "stomp", tls))

    @classmethod
    def login(
        cls, broker: Broker, user: User | None = None, tls: bool = True, version: str = "1.2", **headers: str
    ) -> Self:
        """Connects and logs in."""
        peer = cls.open(broker, tls)
        who = user or broker.admin
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        peer.send(
            "CONNECT",
            {"accept-version": version, "host": "/", "login": who.name, "passcode": who.password, **extra},
        )
        peer.expect("CONNECTED")
        return peer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wire.close()

    def send(self, command: str, headers: Headers = (), body: bytes = b"") -> None:
        """Sends a frame."""
        self.wire.send(frame(command, headers, body))

    def read(self, within: float = PATIENCE) -> Frame:
        """The next frame. Heart-beats are passed over."""
        if self.held:
            return self.held.pop(0)
        return self._read(time.monotonic() + within)

    def _read(self, deadline: float) -> Frame:
        while True:
            found = self._cut()
            if found is not None:
                return found
            self.wire.fill(deadline)

    def _cut(self) -> Frame | None:
        unread = self.wire.unread
        while unread[:1] in (b"\n", b"\r"):
            del unread[:1]
        end = unread.find(b"\n\n")
        if end < 0:
            return None
        command, *lines = unread[:end].decode().split("\n")
        pairs = (line.split(":", 1) for line in lines)
        headers = tuple((unescape(name), unescape(value)) for name, value in pairs)
        length = next((int(value) for name, value in headers if name == "content-length"), None)
        start = end + 2
        stop = unread.find(b"\0", start) if length is None else start + length
        if stop < 0 or len(unread) <= stop:
            return None
        body = bytes(unread[start:stop])
        assert unread[stop] == 0, "the frame does not end where it says"
        del unread[: stop + 1]
        return Frame(command, headers, body)

    def expect(self, command: str, within: float = PATIENCE, **headers: str) -> Frame:
        """The next frame of this kind with these headers; others are kept for later. An ERROR is raised."""
        wanted = {name.replace("_", "-"): value for name, value in headers.items()}
        deadline = time.monotonic() + within

        def fits(one: Frame) -> bool:
            return one.command == command and all(one.get(k) == v for k, v in wanted.items())

        for place, one in enumerate(self.held):
            if fits(one):
                return self.held.pop(place)
        while True:
            one = self._read(deadline)
            if fits(one):
                return one
            if one.command == "ERROR":
                raise StompError(one)
            self.held.append(one)

    def do(self, command: str, headers: Headers = (), body: bytes = b"") -> Frame:
        """Sends a frame and waits for its receipt."""
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        self._receipts += 1
        receipt = f"receipt-{self._receipts}"
        self.send(command, [*pairs, ("receipt", receipt)], body)
        return self.expect("RECEIPT", receipt_id=receipt)

    def publish(self, destination: str, body: bytes = b"", **headers: str) -> None:
        """Sends a persistent message and waits for its receipt."""
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        length = {"content-length": str(len(body))}
        self.do("SEND", {"destination": destination, "persistent": "true", **length, **extra}, body)

    def subscribe(self, destination: str, ack: str = "auto", id: str = "1", **headers: str) -> None:
        """Subscribes and waits for the receipt. `activemq_x` is written `activemq.x`."""
        extra = {name.replace("activemq_", "activemq.").replace("_", "-"): v for name, v in headers.items()}
        self.do("SUBSCRIBE", {"destination": destination, "id": id, "ack": ack, **extra})

    def message(self, within: float = PATIENCE, **headers: str) -> Frame:
        """The next message."""
        return self.expect("MESSAGE", within, **headers)

    def ack(self, message: Frame, **headers: str) -> None:
        """Acknowledges, and waits for the receipt."""
        self.do("ACK", {"id": message["ack"], **headers})

    def nack(self, message: Frame, **headers: str) -> None:
        """Gives back, and waits for the receipt."""
        self.do("NACK", {"id": message["ack"], **headers})

    def refused(self, within: float = PATIENCE) -> Frame:
        """The ERROR that ends this connection."""
        try:
            self.expect("nothing that exists", within)
        except StompError as error:
            self.wire.wait_closed()
            return error.frame
        raise AssertionError("unreachable")

    def nothing_comes(self) -> None:
        """Nothing was on its way: everything before this question is answered."""
        self.do("SEND", {"destination": "/topic/nothing.comes", "persistent": "false"})
        assert self.held == [], f"something came: {self.held}"

    def disconnect(self) -> None:
        """Says good-bye and waits until everything before it is done."""
        self.do("DISCONNECT")
        self.wire.close()


__all__ = ["Closed", "Frame", "StompError", "StompPeer", "escape", "frame", "unescape"]
