"""Who does not read, and who does not stop: memory stays bounded, and the others go on."""

import array
import fcntl
import termios
import time
from collections.abc import Callable

import pytest

from keepmq_testing import mqtt_peer as mqtt
from keepmq_testing.broker import Broker
from keepmq_testing.mqtt_peer import MqttPeer
from keepmq_testing.stomp_peer import Closed, StompPeer, frame
from security.bystander import reason, unharmed

BODY = b"x" * 10_000
LIMITS = """
[limits]
memory-bytes = "16MiB"
line-bytes = "2MiB"
sender-patience = "2s"
slow-patience = "1s"
"""


@pytest.fixture
def small_broker(make_broker: Callable[..., Broker]) -> Broker:
    """A broker with little room and little patience."""
    broker = make_broker(plain=True, log_level="debug").quickstart()
    broker.stop()
    broker.edit(lambda text: text + LIMITS)
    return broker.start()


def publish_without_end(peer: StompPeer, destination: str, megabytes: int, **headers: str) -> str:
    """Publishes that much, or until the broker says no; returns what it said."""
    for number in range(megabytes * 100):
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        length = {"content-length": str(len(BODY))}
        try:
            peer.send("SEND", {"destination": destination, "receipt": str(number), **length, **more}, BODY)
        except Closed:
            return peer.refused()["message"]
        if number % 100 == 99:
            try:
                peer.expect("RECEIPT", receipt_id=str(number))
            except Exception as error:
                return str(error)
            peer.held.clear()
    return ""


def test_a_queue_that_nobody_reads_is_bounded_in_memory(small_broker: Broker) -> None:
    with unharmed(small_broker, 64), StompPeer.login(small_broker, tls=False) as peer:
        said = publish_without_end(peer, "/queue/flood", 200)
        assert "out of room" in said, said
    with StompPeer.login(small_broker) as peer:
        peer.subscribe("/queue/flood")
        assert peer.message().body == BODY


def test_a_persistent_queue_that_nobody_reads_goes_to_disk(small_broker: Broker) -> None:
    with unharmed(small_broker, 96), StompPeer.login(small_broker, tls=False) as peer:
        assert publish_without_end(peer, "/queue/flood", 100, persistent="true") == ""
    with StompPeer.login(small_broker, tls=False) as peer:
        peer.subscribe("/queue/flood", ack="client", activemq_prefetchSize="50")
        for number in range(10_000):
            message = peer.message()
            if number % 25 == 24:
                peer.ack(message)


def wait_until_nothing_moves(peer: StompPeer) -> None:
    """Waits until the buffer that the peer does not read is full."""
    length = array.array("i", [0])

    def unread() -> int:
        fcntl.ioctl(peer.wire.sock, termios.FIONREAD, length)
        return length[0]

    before = -1
    while unread() != before or before == 0:
        before = unread()
        time.sleep(0.3)


def test_a_consumer_that_pauses_gets_the_rest_when_it_goes_on(own_broker: Broker) -> None:
    """More than fits into the buffers on the way; nothing but reading is done."""
    with StompPeer.login(own_broker, tls=False) as peer:
        for _ in range(1000):
            peer.publish("/queue/pause", BODY)
        peer.subscribe("/queue/pause", ack="client", activemq_prefetchSize="1000")
        wait_until_nothing_moves(peer)
        for _ in range(1000):
            peer.message(within=5)


@pytest.mark.parametrize("qos", [0, 1])
def test_a_flood_of_mqtt_to_a_session_that_is_away_is_bounded(small_broker: Broker, qos: int) -> None:
    with MqttPeer.login(small_broker, client_id="away", clean=False) as peer:
        peer.subscribe("flood", qos=1)
    with unharmed(small_broker, 96), MqttPeer.login(small_broker, tls=False) as peer:
        for number in range(1, 5001):
            peer.send(mqtt.publish("flood", BODY, qos, number))
        if qos:
            peer.expect(mqtt.PUBACK, 5000, within=60)
        else:
            peer.ping()
    with MqttPeer.login(small_broker, client_id="away", clean=False) as peer:
        assert peer.message().body == BODY


@pytest.mark.parametrize("protocol", ["stomp", "mqtt"])
def test_a_subscriber_that_does_not_read_is_bounded_and_holds_up_nobody(small_broker: Broker, protocol: str) -> None:
    with unharmed(small_broker, 64) as bystander:
        slow: StompPeer | MqttPeer
        if protocol == "stomp":
            slow = StompPeer.login(small_broker, tls=False)
            slow.subscribe("/topic/slow")
        else:
            slow = MqttPeer.login(small_broker, tls=False)
            slow.subscribe("slow", qos=0)
        with StompPeer.login(small_broker, tls=False) as reader, StompPeer.login(small_broker, tls=False) as peer:
            reader.subscribe("/topic/slow")
            for number in range(4000):
                length = {"content-length": str(len(BODY))}
                peer.send("SEND", {"destination": "/topic/slow", "receipt": str(number), **length}, BODY)
                peer.expect("RECEIPT", receipt_id=str(number), within=10)
                assert reader.message().body == BODY
                if number % 1000 == 0:
                    bystander.works()
        slow.wire.close()


def test_a_consumer_that_never_acknowledges_holds_its_prefetch_only(small_broker: Broker) -> None:
    with unharmed(small_broker, 96), StompPeer.login(small_broker, tls=False) as greedy:
        greedy.subscribe("/queue/greedy", ack="client-individual", activemq_prefetchSize="10")
        with StompPeer.login(small_broker, tls=False) as peer:
            for _ in range(200):
                peer.publish("/queue/greedy", BODY)
            peer.subscribe("/queue/greedy", ack="client-individual")
            for _ in range(190):
                peer.ack(peer.message())
        assert len([greedy.message() for _ in range(10)]) == 10
        greedy.nothing_comes()


def test_an_endless_transaction_is_stopped(small_broker: Broker) -> None:
    with unharmed(small_broker, 96), StompPeer.login(small_broker, tls=False) as peer:
        peer.do("BEGIN", {"transaction": "t"})
        said = publish_without_end(peer, "/queue/tx", 100, transaction="t")
        assert said, "a transaction of 100 MB"
    with StompPeer.login(small_broker, tls=False) as peer:
        peer.subscribe("/queue/tx")
        peer.nothing_comes()


def test_messages_of_quality_2_that_are_never_released_are_bounded(small_broker: Broker) -> None:
    with unharmed(small_broker, 32), MqttPeer.login(small_broker, tls=False) as peer:
        try:
            for number in range(1, 5001):
                peer.send(mqtt.publish("held", b"x", 2, number))
        except Closed:
            pass
        peer.wire.wait_closed()
    reason(small_broker, "messages of QoS 2 under way")


def test_transactions_without_number_are_stopped(small_broker: Broker) -> None:
    with unharmed(small_broker, 16), StompPeer.login(small_broker, tls=False) as peer:
        peer.wire.send(b"".join(frame("BEGIN", {"transaction": str(number)}) for number in range(200)))
        assert "transaction" in peer.refused()["message"]


def test_subscriptions_without_number_are_stopped(small_broker: Broker) -> None:
    with unharmed(small_broker, 32), StompPeer.login(small_broker, tls=False) as peer:
        try:
            for number in range(5000):
                peer.send("SUBSCRIBE", {"destination": "/topic/many", "id": str(number)})
        except Closed:
            pass
        assert "busy" in peer.refused()["message"]
    with unharmed(small_broker, 32), MqttPeer.login(small_broker, tls=False) as mqtt_peer:
        codes = [mqtt_peer.subscribe(*(f"many/{number}/{part}" for part in range(500))) for number in range(4)]
        assert codes[0] == [1] * 500 and codes[3] == [0x80] * 500


def test_temporary_queues_without_number_are_stopped(small_broker: Broker) -> None:
    with unharmed(small_broker, 16), StompPeer.login(small_broker, tls=False) as peer:
        try:
            for number in range(2000):
                peer.send("SUBSCRIBE", {"destination": f"/temp-queue/t{number}", "id": str(number)})
        except Closed:
            pass
        assert "as many temporary destinations as it may have" in peer.refused()["message"]


def test_destinations_without_number_are_stopped(make_broker: Callable[..., Broker]) -> None:
    broker = make_broker(plain=True).quickstart()
    broker.stop()
    broker.edit(lambda text: text + "\n[limits]\ndestinations = 300\n")
    broker.start()
    with unharmed(broker, 32), StompPeer.login(broker, tls=False) as peer:
        try:
            for number in range(400):
                peer.send("SEND", {"destination": f"/queue/many.{number}", "persistent": "false"}, b"x")
        except Closed:
            pass
        assert "the limit on destinations is reached" in peer.refused()["message"]


def test_a_keep_alive_that_is_not_kept_ends_the_connection(small_broker: Broker) -> None:
    with MqttPeer.login(small_broker) as watcher:
        watcher.subscribe("dead")
        began = time.monotonic()
        peer = MqttPeer.login(small_broker, keep_alive=1, will=("dead", b"client", 1, False))
        peer.wire.wait_closed()
        assert time.monotonic() - began >= 1.4
        assert watcher.message().body == b"client"
    reason(small_broker, "silent for one and a half times the keep alive")


def test_heart_beats_that_do_not_come_end_the_connection(small_broker: Broker) -> None:
    began = time.monotonic()
    peer = StompPeer.login(small_broker, heart_beat="1000,0")
    assert "nothing was heard" in peer.refused()["message"]
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize("heart_beat", ["1,1", "4294967295,4294967295", "99999999999999999999,1", "0,0", "1,0"])
def test_extreme_heart_beats_are_bounded(small_broker: Broker, heart_beat: str) -> None:
    with unharmed(small_broker, 8):
        peer = StompPeer.open(small_broker, tls=False)
        admin = small_broker.admin
        login = {"accept-version": "1.2", "host": "/", "login": admin.name, "passcode": admin.password}
        peer.send("CONNECT", {**login, "heart-beat": heart_beat})
        answer = peer.read()
        if answer.command == "CONNECTED":
            mine, yours = map(int, answer["heart-beat"].split(","))
            assert mine == 0 or mine >= 1000
            assert yours == 0 or yours >= 1000
        peer.wire.close()
