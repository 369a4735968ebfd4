"""Lengths that are lies: nothing is allocated for them, and they are told to be wrong."""

import pytest

from keepmq_testing import mqtt_peer as mqtt
from keepmq_testing.broker import Broker
from keepmq_testing.mqtt_peer import MqttPeer, packet, text
from keepmq_testing.stomp_peer import StompError, StompPeer, frame
from keepmq_testing.wire import Wire
from security.bystander import reason, unharmed

TIMES = 40

REMAINING = {
    "the longest there is": (b"\xff\xff\xff\x7f", "is over the limit of"),
    "five bytes": (b"\xff\xff\xff\xff\x01", "takes more than four bytes"),
    "four bytes that go on": (b"\xff\xff\xff\xff", "takes more than four bytes"),
    "zero in two bytes": (b"\x80\x00", "not in its shortest form"),
    "one in four bytes": (b"\x81\x80\x80\x00", "not in its shortest form"),
}


@pytest.mark.parametrize("case", REMAINING)
@pytest.mark.parametrize("kind", [mqtt.CONNECT, mqtt.PUBLISH], ids=["CONNECT", "PUBLISH"])
def test_mqtt_lengths_before_the_login(broker: Broker, case: str, kind: int) -> None:
    length, why = REMAINING[case]
    with unharmed(broker, 8):
        for _ in range(TIMES):
            wire = Wire.open(broker, "mqtt", tls=False)
            wire.send(bytes([kind << 4]) + length + b"\0\4MQTT\4\2\0\0")
            assert wire.wait_closed() == b""
    reason(broker, why if kind == mqtt.CONNECT else "not CONNECT")


@pytest.mark.parametrize("case", REMAINING)
@pytest.mark.parametrize("kind", [mqtt.PUBLISH, mqtt.SUBSCRIBE, mqtt.PINGREQ])
def test_mqtt_lengths_after_the_login(broker: Broker, case: str, kind: int) -> None:
    length, why = REMAINING[case]
    with unharmed(broker, 8):
        for _ in range(10):
            with MqttPeer.login(broker, tls=False) as peer:
                flags = 2 if kind == mqtt.SUBSCRIBE else 0
                peer.send(bytes([kind << 4 | flags]) + length + b"\0\1a")
                assert peer.wire.wait_closed() == b""
    reason(broker, why)


def test_a_mqtt_packet_just_over_the_limit_is_not_read(broker: Broker) -> None:
    with unharmed(broker, 8), MqttPeer.login(broker, tls=False) as peer:
        peer.send(bytes([mqtt.PUBLISH << 4]) + mqtt.length(16 * 1024 * 1024) + text("a"))
        peer.wire.wait_closed()
    reason(broker, "is over the limit of 16777216")


@pytest.mark.parametrize(
    "body",
    [b"\xff\xff", b"\xff\xffa", b"\0\5abc", b"", b"\0"],
    ids=["only a length", "a topic too long", "a topic cut", "nothing", "half a length"],
)
def test_lengths_inside_a_mqtt_packet_stay_inside(broker: Broker, body: bytes) -> None:
    with unharmed(broker, 8), MqttPeer.login(broker, tls=False) as peer:
        peer.send(packet(mqtt.PUBLISH, body, 2))
        peer.wire.wait_closed()
    reason(broker, "PUBLISH ends within a field")


CONTENT_LENGTHS = ["-1", "+5", "0x10", " 5", "5 ", "5.0", "", "1e3", "٥", "99999999999999999999999999", "1,5"]


@pytest.mark.parametrize("value", CONTENT_LENGTHS)
def test_content_lengths_that_are_no_plain_numbers(broker: Broker, value: str) -> None:
    with unharmed(broker, 8), StompPeer.login(broker, tls=False) as peer:
        peer.send("SEND", {"destination": "/queue/lengths", "content-length": value}, b"hello")
        message = peer.refused()["message"]
        assert "content-length" in message or "longer than this broker allows" in message


@pytest.mark.parametrize("value", ["4294967296", "4294967295", "2147483648", "104857601", "16777217"])
def test_content_lengths_of_gigabytes(broker: Broker, value: str) -> None:
    with unharmed(broker, 8):
        for _ in range(10):
            with StompPeer.login(broker, tls=False) as peer:
                peer.wire.send(f"SEND\ndestination:/queue/lengths\ncontent-length:{value}\n\nhello".encode())
                assert "the body is longer than this broker allows" in peer.refused()["message"]


@pytest.mark.parametrize("value", ["4294967296", "5", "-1", "18446744073709551616"])
def test_content_lengths_before_the_login(broker: Broker, value: str) -> None:
    with unharmed(broker, 8):
        for _ in range(TIMES):
            peer = StompPeer.open(broker, tls=False)
            peer.send("CONNECT", {"accept-version": "1.2", "host": "/", "content-length": value}, b"hello")
            assert peer.refused()["message"].startswith(("malformed", "too large"))


@pytest.mark.parametrize("lengths", [("all", "0"), ("0", "all"), ("all", "all"), ("3", "all")])
def test_of_two_content_lengths_neither_hides_a_frame(broker: Broker, lengths: tuple[str, str]) -> None:
    inner = frame("SEND", {"destination": "/queue/smuggled"}, b"smuggled")
    with unharmed(broker, 8) as bystander, StompPeer.login(broker, tls=False) as peer:
        bystander.stomp.subscribe("/queue/smuggled", id="smuggled")
        numbers = [str(len(inner)) if length == "all" else length for length in lengths]
        headers = [("destination", "/queue/lengths"), *(("content-length", number) for number in numbers)]
        peer.send("SEND", headers, inner)
        peer.send("SEND", {"destination": "/queue/lengths", "receipt": "r"}, b"after")
        try:
            peer.expect("RECEIPT")
        except StompError as error:
            assert "content-length" in error.frame["message"]
        bystander.stomp.nothing_comes()


def test_a_body_that_does_not_end_where_it_says(broker: Broker) -> None:
    with unharmed(broker, 8), StompPeer.login(broker, tls=False) as peer:
        peer.send("SEND", {"destination": "/queue/lengths", "content-length": "3"}, b"hello")
        assert "does not end with a NUL where content-length says so" in peer.refused()["message"]


@pytest.mark.parametrize("protocol", ["stomp", "mqtt"])
def test_a_body_that_comes_byte_by_byte_costs_what_came(broker: Broker, protocol: str) -> None:
    """The largest message that is allowed is claimed, and hardly begun, over many connections at once."""
    with unharmed(broker, 24):
        peers: list[StompPeer | MqttPeer] = []
        for _ in range(50):
            if protocol == "stomp":
                stomp = StompPeer.login(broker, tls=False)
                stomp.wire.send(b"SEND\ndestination:/queue/lengths\ncontent-length:16000000\n\nhello")
                peers.append(stomp)
            else:
                peer = MqttPeer.login(broker, tls=False)
                peer.send(bytes([mqtt.PUBLISH << 4]) + mqtt.length(16_000_000) + text("a"))
                peers.append(peer)
        for one in peers:
            one.wire.close()
