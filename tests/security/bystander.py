"""Somebody who means well, and must not suffer under the others."""

from collections.abc import Iterator
from contextlib import contextmanager

from keepmq_testing.broker import Broker
from keepmq_testing.mqtt_peer import MqttPeer
from keepmq_testing.stomp_peer import StompPeer
from keepmq_testing.waiting import eventually

MIB = 1024
#: What it takes to check a password that is not remembered, while that lasts.
HASHING_MIB = 20


class Bystander:
    """A client of each protocol that is logged in, from before the attack until after it."""

    def __init__(self, broker: Broker) -> None:
        self.stomp = StompPeer.login(broker)
        self.mqtt = MqttPeer.login(broker)
        self.stomp.subscribe("/topic/bystander")
        self.mqtt.subscribe("bystander")
        self._number = 0

    def works(self) -> None:
        """A message of each is heard by both."""
        self._number += 1
        body = str(self._number).encode()
        self.stomp.publish("/topic/bystander", b"s" + body)
        self.mqtt.publish("bystander", b"m" + body)
        assert {self.stomp.message().body for _ in range(2)} == {b"s" + body, b"m" + body}
        assert {self.mqtt.message().body for _ in range(2)} == {b"s" + body, b"m" + body}

    def close(self) -> None:
        """Ends it."""
        self.stomp.wire.close()
        self.mqtt.wire.close()


@contextmanager
def unharmed(broker: Broker, growth_mib: int) -> Iterator[Bystander]:
    """What happens inside costs the broker no more memory than that, even for a moment; who was logged in goes on, and
    others can log in afterwards."""
    bystander = Bystander(broker)
    bystander.works()
    broker.forget_peak()
    before = broker.memory_kib()
    yield bystander
    bystander.works()
    bystander.close()
    with StompPeer.login(broker), MqttPeer.login(broker):
        pass
    growth = broker.peak_memory_kib() - before
    assert growth < growth_mib * MIB, f"the broker grew by {growth // MIB} MiB"


def reason(broker: Broker, text: str) -> None:
    """The broker's log says why a connection ended."""
    eventually(lambda: text in broker.log(), f"the log says {text!r}")
