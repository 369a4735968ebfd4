"""paho-mqtt over TLS, with everything that it hears kept in the order in which it came."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from keepmq_testing.broker import Broker, User
from keepmq_testing.waiting import PATIENCE, eventually


class PahoClient:
    """An unmodified paho-mqtt client."""

    def __init__(
        self,
        broker: Broker,
        client_id: str = "",
        clean: bool | None = True,
        version: int = paho.MQTTv311,
        user: User | None = None,
    ) -> None:
        self.broker = broker
        self.messages: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self.connected = threading.Event()
        self.reasons: list[Any] = []
        self.disconnections: list[Any] = []
        self.session_present = False
        self.granted: dict[int, list[Any]] = {}
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, clean, protocol=version, reconnect_on_failure=False
        )
        self.client.tls_set(str(broker.ca))
        who = user or broker.admin
        self.client.username_pw_set(who.name, who.password)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = lambda _client, _data, message: self.messages.put(message)
        self.client.on_subscribe = self._on_subscribe

    def _on_connect(self, _client: Any, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        self.reasons.append(reason)
        self.session_present = flags.session_present
        if not reason.is_failure:
            self.connected.set()

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.connected.clear()
        self.disconnections.append(reason)

    def _on_subscribe(self, _client: Any, _data: Any, number: int, reasons: Any, _properties: Any) -> None:
        self.granted[number] = [reason.value for reason in reasons]

    def begin(self, keep_alive: int = 60) -> None:
        """Connects, whatever comes of it."""
        self.client.connect("127.0.0.1", self.broker.port("mqtt"), keep_alive)
        self.client.loop_start()

    def connect(self, keep_alive: int = 60) -> None:
        """Logs in."""
        self.begin(keep_alive)
        eventually(lambda: self.connected.is_set() or self.reasons, "the CONNACK")
        assert self.connected.wait(PATIENCE), f"refused: {self.reasons}"

    def disconnect(self) -> None:
        """Says good-bye."""
        self.client.disconnect()
        self.client.loop_stop()

    def vanish(self) -> None:
        """Ends the connection without a word, as a broken network does."""
        socket = self.client.socket()
        if socket is not None:
            socket.close()
        self.client.loop_stop()

    def publish(self, topic: str, body: str | bytes, qos: int = 1, retain: bool = False) -> None:
        """Publishes, and waits until it is done as its quality of service says."""
        self.client.publish(topic, body, qos, retain).wait_for_publish(PATIENCE)

    def subscribe(self, *filters: str, qos: int = 1) -> list[int]:
        """Subscribes, and returns the codes of the answer."""
        _, number = self.client.subscribe([(one, qos) for one in filters])
        assert number is not None
        return eventually(lambda: self.granted.get(number), "the SUBACK")

    def message(self, within: float = PATIENCE) -> paho.MQTTMessage:
        """The next message."""
        try:
            return self.messages.get(timeout=within)
        except queue.Empty:
            raise AssertionError(f"no message came; disconnections: {self.disconnections}") from None

    def nothing_comes(self) -> None:
        """Nothing was on its way: an answer to a later request is here."""
        self.subscribe("nothing/comes")
        assert self.messages.empty(), self.messages.get_nowait().payload

    def wait_disconnected(self) -> None:
        """Waits until the broker ends the connection."""
        eventually(lambda: self.disconnections, "the connection has ended")


@contextmanager
def paho_client(broker: Broker, **options: Any) -> Iterator[PahoClient]:
    """A client that is logged in."""
    client = PahoClient(broker, **options)
    client.connect()
    try:
        yield client
    finally:
        client.disconnect()
