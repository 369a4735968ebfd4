"""What may be said before the login, and what only once."""

import pytest

from keepmq_testing import mqtt_peer as mqtt
from keepmq_testing.broker import Broker, User
from keepmq_testing.mqtt_peer import MqttPeer, packet, text
from keepmq_testing.stomp_peer import StompError, StompPeer
from keepmq_testing.wire import Wire
from security.bystander import HASHING_MIB, reason, unharmed

COMMANDS = ["SEND", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "NACK", "BEGIN", "COMMIT", "ABORT", "DISCONNECT", "MESSAGE"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_stomp_connection_begins_with_connect(broker: Broker, command: str) -> None:
    with unharmed(broker, 8) as bystander:
        bystander.stomp.subscribe("/queue/early", id="early")
        peer = StompPeer.open(broker, tls=False)
        headers = {"destination": "/queue/early", "id": "1", "transaction": "t", "receipt": "r"}
        peer.send(command, headers, b"x" if command == "SEND" else b"")
        message = peer.refused()["message"]
        assert "CONNECT" in message or "command" in message
        bystander.stomp.nothing_comes()


def test_a_stomp_command_right_behind_a_wrong_login_is_not_obeyed(broker: Broker) -> None:
    with unharmed(broker, 8 + HASHING_MIB) as bystander:
        bystander.stomp.subscribe("/queue/early", id="early")
        peer = StompPeer.open(broker, tls=False)
        peer.send("CONNECT", {"accept-version": "1.2", "host": "/", "login": "admin", "passcode": "wrong"})
        peer.send("SEND", {"destination": "/queue/early"}, b"x")
        assert "password is invalid" in peer.refused()["message"]
        bystander.stomp.nothing_comes()


@pytest.mark.parametrize("command", ["CONNECT", "STOMP"])
def test_a_second_stomp_login_is_refused(broker: Broker, command: str) -> None:
    with unharmed(broker, 8), StompPeer.login(broker, tls=False) as peer:
        peer.send(command, {"accept-version": "1.2", "host": "/", "login": "admin", "passcode": "x"})
        assert "malformed" in peer.refused()["message"]


@pytest.mark.parametrize("command", ["CONNECTED", "MESSAGE", "RECEIPT", "ERROR", "GET / HTTP/1.1", "send", "\x16\x03"])
def test_what_only_a_server_says_or_nobody_is_refused(broker: Broker, command: str) -> None:
    with unharmed(broker, 8), StompPeer.login(broker, tls=False) as peer:
        peer.send(command, {})
        assert "no STOMP command of a client" in peer.refused()["message"]


def test_a_version_that_is_not_spoken_is_told_which_are(broker: Broker) -> None:
    peer = StompPeer.open(broker, tls=False)
    peer.send("CONNECT", {"accept-version": "9.9", "host": "/", "login": "admin", "passcode": "x"})
    assert peer.refused()["version"] == "1.2,1.1,1.0"


@pytest.mark.parametrize("kind", [*range(2, 15), 0, 15])
def test_a_mqtt_connection_begins_with_connect(broker: Broker, kind: int) -> None:
    with unharmed(broker, 8):
        wire = Wire.open(broker, "mqtt", tls=False)
        flags = 2 if kind in (mqtt.SUBSCRIBE, mqtt.UNSUBSCRIBE, mqtt.PUBREL) else 0
        wire.send(packet(kind, b"\0\1\0\1a\0", flags))
        assert wire.wait_closed() == b""
    reason(broker, f"the first packet is of type {kind}, not CONNECT")


def test_a_mqtt_packet_right_behind_a_wrong_login_is_not_obeyed(broker: Broker) -> None:
    with unharmed(broker, 8 + HASHING_MIB) as bystander:
        bystander.mqtt.subscribe("early")
        wire = Wire.open(broker, "mqtt", tls=False)
        wrong = mqtt.connect(User("admin", "wrong"), "early")
        wire.send(wrong + mqtt.publish("early", b"x", 1, 1))
        assert wire.wait_closed() == packet(mqtt.CONNACK, bytes([0, mqtt.BAD_LOGIN]))
        bystander.mqtt.nothing_comes()


def test_a_second_mqtt_login_is_refused(broker: Broker) -> None:
    with unharmed(broker, 8), MqttPeer.login(broker, tls=False) as peer:
        peer.send(mqtt.connect(broker.admin, "again"))
        assert peer.wire.wait_closed() == b""
    reason(broker, "a second CONNECT")


@pytest.mark.parametrize("kind", [mqtt.CONNACK, mqtt.SUBACK, mqtt.UNSUBACK, mqtt.PINGRESP, 0, 15])
def test_mqtt_packets_that_only_servers_send_are_refused(broker: Broker, kind: int) -> None:
    with unharmed(broker, 8), MqttPeer.login(broker, tls=False) as peer:
        peer.send(packet(kind, b"\0\0"))
        assert peer.wire.wait_closed() == b""


MALFORMED = {
    "PUBLISH of quality 3": packet(mqtt.PUBLISH, text("a") + b"\0\1", 6),
    "PUBLISH of number 0": packet(mqtt.PUBLISH, text("a") + b"\0\0", 2),
    "PUBLISH to +": packet(mqtt.PUBLISH, text("a/+"), 0),
    "PUBLISH to #": packet(mqtt.PUBLISH, text("#"), 0),
    "PUBLISH to nothing": packet(mqtt.PUBLISH, text(""), 0),
    "PUBLISH with NUL": packet(mqtt.PUBLISH, text("a\0b"), 0),
    "PUBLISH that is not UTF-8": packet(mqtt.PUBLISH, text(b"\xff\xfe"), 0),
    "PUBLISH with a surrogate": packet(mqtt.PUBLISH, text(b"\xed\xa0\x80"), 0),
    "SUBSCRIBE without filters": packet(mqtt.SUBSCRIBE, b"\0\1", 2),
    "SUBSCRIBE with wrong flags": packet(mqtt.SUBSCRIBE, b"\0\1" + text("a") + b"\0", 0),
    "SUBSCRIBE of quality 3": packet(mqtt.SUBSCRIBE, b"\0\1" + text("a") + b"\3", 2),
    "SUBSCRIBE to a#": packet(mqtt.SUBSCRIBE, b"\0\1" + text("a#") + b"\0", 2),
    "SUBSCRIBE to #/a": packet(mqtt.SUBSCRIBE, b"\0\1" + text("#/a") + b"\0", 2),
    "PUBREL with wrong flags": packet(mqtt.PUBREL, b"\0\1", 0),
    "PINGREQ with a body": packet(mqtt.PINGREQ, b"x"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_mqtt_ends_the_connection(broker: Broker, case: str) -> None:
    with unharmed(broker, 8), MqttPeer.login(broker, tls=False) as peer:
        peer.send(MALFORMED[case] + mqtt.publish("bystander", b"behind it"))
        assert peer.wire.wait_closed() == b""


def test_a_stomp_error_is_short_whatever_was_said(broker: Broker) -> None:
    with StompPeer.login(broker, tls=False) as peer:
        try:
            peer.do("SEND", {"destination": "/nonsense/" + "\x1b[31m" * 2000})
        except StompError as error:
            assert len(error.frame["message"]) < 1000 and "\x1b" not in error.frame["message"]
        else:
            raise AssertionError("not refused")
