"""stomp.py over TLS, with everything that it hears kept in the order in which it came."""

import queue
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import stomp
from stomp.utils import Frame

from keepmq_testing.broker import Broker, User
from keepmq_testing.waiting import PATIENCE, eventually

CONNECTIONS = {
    "1.0": stomp.StompConnection10,
    "1.1": stomp.StompConnection11,
    "1.2": stomp.StompConnection12,
}


class Ears(stomp.ConnectionListener):
    """What a connection heard."""

    def __init__(self) -> None:
        self.connected: list[Frame] = []
        self.messages: queue.Queue[Frame] = queue.Queue()
        self.receipts: set[str] = set()
        self.errors: list[Frame] = []
        self.disconnections = 0
        self.heartbeats = 0
        self.heartbeat_timeouts = 0

    def on_connected(self, frame: Frame) -> None:
        self.connected.append(frame)

    def on_message(self, frame: Frame) -> None:
        self.messages.put(frame)

    def on_receipt(self, frame: Frame) -> None:
        self.receipts.add(frame.headers["receipt-id"])

    def on_error(self, frame: Frame) -> None:
        self.errors.append(frame)

    def on_disconnected(self) -> None:
        self.disconnections += 1

    def on_heartbeat(self) -> None:
        self.heartbeats += 1

    def on_heartbeat_timeout(self) -> None:
        self.heartbeat_timeouts += 1


class StompClient:
    """An unmodified stomp.py connection."""

    def __init__(self, broker: Broker, version: str = "1.2", **options: Any) -> None:
        self.broker, self.version = broker, version
        address = ("127.0.0.1", broker.port("stomp"))
        self.connection = CONNECTIONS[version]([address], reconnect_attempts_max=1, **options)
        self.connection.set_ssl([address], ca_certs=str(broker.ca))
        self.ears = Ears()
        self.connection.set_listener("ears", self.ears)

    def connect(self, user: User | None = None, client_id: str = "") -> None:
        """Logs in."""
        who = user or self.broker.admin
        headers = {"client-id": client_id} if client_id else {}
        self.connection.connect(who.name, who.password, wait=True, headers=headers)

    def disconnect(self) -> None:
        """Says good-bye and waits for the receipt. After an ERROR there is nobody to say it to."""
        if self.ears.errors:
            # stomp.py does not always notice that the other side is gone, and then waits for ever.
            self.connection.transport.disconnect_socket()
        elif self.connection.is_connected():
            receipt = uuid.uuid4().hex
            self.connection.disconnect(receipt)
            eventually(lambda: not self.connection.is_connected(), "the connection has ended")

    def receipt(self) -> dict[str, str]:
        """A header that asks for a receipt, to be waited for with `answered`."""
        return {"receipt": uuid.uuid4().hex}

    def answered(self, asked: dict[str, str]) -> None:
        """Waits for a receipt."""
        eventually(lambda: asked["receipt"] in self.ears.receipts or self.ears.errors, "the receipt")
        assert not self.ears.errors, self.ears.errors

    def send(self, destination: str, body: str | bytes, **headers: Any) -> None:
        """Sends a persistent message and waits for its receipt."""
        asked = self.receipt()
        self.connection.send(destination, body, headers={"persistent": "true", **asked, **headers})
        self.answered(asked)

    def subscribe(self, destination: str, id: str = "1", ack: str = "auto", **headers: Any) -> None:
        """Subscribes and waits for the receipt."""
        asked = self.receipt()
        self.connection.subscribe(destination, id=id, ack=ack, headers={**asked, **headers})
        self.answered(asked)

    def unsubscribe(self, id: str, **headers: Any) -> None:
        """Ends a subscription and waits for the receipt."""
        asked = self.receipt()
        self.connection.unsubscribe(id, headers={**asked, **headers})
        self.answered(asked)

    def ack(self, message: Frame, **options: Any) -> None:
        """Acknowledges as this version does, and waits for the receipt."""
        self._settle(self.connection.ack, message, **options)

    def nack(self, message: Frame, **options: Any) -> None:
        """Gives back as this version does, and waits for the receipt."""
        self._settle(self.connection.nack, message, **options)

    def _settle(self, how: Any, message: Frame, **options: Any) -> None:
        headers = message.headers
        names = {
            "1.0": [headers["message-id"]],
            "1.1": [headers["message-id"], headers["subscription"]],
            "1.2": [headers.get("ack")],
        }[self.version]
        asked = self.receipt()
        how(*names, receipt=asked["receipt"], **options)
        self.answered(asked)

    def message(self, within: float = PATIENCE) -> Frame:
        """The next message."""
        try:
            return self.ears.messages.get(timeout=within)
        except queue.Empty:
            raise AssertionError(f"no message came; errors: {self.ears.errors}") from None

    def error(self) -> Frame:
        """The first ERROR."""
        return eventually(lambda: self.ears.errors, "an ERROR")[0]

    def nothing_comes(self) -> None:
        """No message was on its way before this question."""
        self.send("/topic/nothing.comes", "?", persistent="false")
        assert self.ears.messages.empty(), self.ears.messages.get_nowait()


@contextmanager
def stomp_client(
    broker: Broker, version: str = "1.2", user: User | None = None, client_id: str = "", **options: Any
) -> Iterator[StompClient]:
    """A client that is logged in."""
    client = StompClient(broker, version, **options)
    client.connect(user, client_id)
    try:
        yield client
    finally:
        client.disconnect()
