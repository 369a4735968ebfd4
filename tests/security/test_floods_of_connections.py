"""Ten thousand connections that never log in."""

import resource
import socket
import time

import pytest

from keepmq_testing.broker import Broker
from keepmq_testing.mqtt_peer import MqttPeer
from keepmq_testing.stomp_peer import StompPeer
from security.bystander import MIB, Bystander

WANTED = 10_000
# Files that the test itself and its libraries need.
SPARE = 500


def allowed() -> int:
    """As many as this machine lets one process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(WANTED, hard - SPARE)


def connect(broker: Broker, protocol: str, source: str) -> socket.socket | None:
    """A connection from an address of this machine that says nothing; nothing when it is turned away at once."""
    sock = socket.socket()
    sock.settimeout(5)
    try:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((source, 0))
        sock.connect(("127.0.0.1", broker.port(protocol)))
    except OSError:
        sock.close()
        return None
    return sock


def flood(
    broker: Broker, protocols: list[str], sources: list[str], bystander: Bystander
) -> list[socket.socket]:
    """Opens them all, while the bystander goes on."""
    count = allowed()
    if count < WANTED:
        print(f"this machine allows {count} connections, not {WANTED}")
    made = []
    for number in range(count):
        protocol, source = protocols[number % len(protocols)], sources[number // 2 % len(sources)]
        sock = connect(broker, protocol, source)
        if sock is not None:
            made.append(sock)
        if number % 500 == 0:
            bystander.works()
    return made


TWENTY = [f"127.0.1.{host}" for host in range(1, 21)]


@pytest.mark.parametrize(
    ("protocols", "sources"),
    [(["stomp", "mqtt"], ["127.0.0.2"]), (["stomp"], TWENTY), (["mqtt"], TWENTY)],
    ids=["from one address", "from twenty addresses by STOMP", "from twenty addresses by MQTT"],
)
def test_ten_thousand_connections_without_a_login(
    own_broker: Broker, protocols: list[str], sources: list[str]
) -> None:
    bystander = Bystander(own_broker)
    bystander.works()
    before = own_broker.memory_kib()
    own_broker.forget_peak()
    began = time.monotonic()
    made = flood(own_broker, protocols, sources, bystander)
    bystander.works()
    if len(sources) == 1:
        # One source can't keep out the others.
        with StompPeer.login(own_broker), MqttPeer.login(own_broker):
            pass
    for sock in made:
        sock.close()
    # From many addresses it can, until the deadline of the login comes.
    while True:
        try:
            with StompPeer.login(own_broker), MqttPeer.login(own_broker):
                break
        except (ConnectionError, OSError):
            assert time.monotonic() - began < 60, "nobody can log in any more"
            time.sleep(0.2)
    bystander.works()
    bystander.close()
    growth = (own_broker.peak_memory_kib() - before) // MIB
    print(f"the broker grew by {growth} MiB for {len(made)} connections")
    assert growth < 128, f"the broker grew by {growth} MiB"
    turned_away = own_broker.audited("rejected")
    assert "the limit on connections" in turned_away["why"]


def test_memory_comes_back_after_a_flood(own_broker: Broker) -> None:
    bystander = Bystander(own_broker)
    bystander.works()
    before = own_broker.memory_kib()
    for _ in range(3):
        made = [connect(own_broker, "stomp", "127.0.0.2") for _ in range(1000)]
        for sock in made:
            if sock is not None:
                sock.close()
        bystander.works()
    growth = (own_broker.memory_kib() - before) // MIB
    assert growth < 96, f"the broker keeps {growth} MiB"
    bystander.close()
