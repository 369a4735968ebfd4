"""What one protocol allows in a name must not be a frame, a header or a topic of the other."""

import pytest

from keepmq_testing import mqtt_peer as mqtt
from keepmq_testing.broker import Broker
from keepmq_testing.mqtt_peer import MqttPeer, Refused
from keepmq_testing.stomp_peer import Closed, StompError, StompPeer, escape
from security.bystander import unharmed

SMUGGLED = "\n\n\0MESSAGE\ndestination:/queue/forged\n\nforged\0"
NASTY = {
    "a new line": "a\nb",
    "a carriage return": "a\rb",
    "a colon": "a:b",
    "a header": "a\nforged:yes\nb",
    "a frame": "a" + SMUGGLED,
    "an escape": "a\\nb\\c",
    "an escape sequence": "a\x1b[31mb",
    "a delete": "a\x7fb",
    "a C1 control": "a\x85b",
    "right to left": "a\u202eb",
}


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
@pytest.mark.parametrize("case", NASTY)
def test_a_topic_of_mqtt_is_no_frame_of_stomp(broker: Broker, case: str, version: str) -> None:
    topic = f"inject/{NASTY[case]}"
    with unharmed(broker, 8), StompPeer.login(broker, version=version) as stomp:
        stomp.subscribe("/topic/inject.>")
        with MqttPeer.login(broker) as peer:
            try:
                peer.publish(topic, b"real", qos=1)
            except Closed:
                stomp.nothing_comes()
                return
        message = stomp.message()
        assert message.body == b"real"
        assert "forged" not in message
        if version == "1.2":
            assert message["destination"] == "/topic/" + topic.replace("/", ".")
        stomp.nothing_comes()


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
@pytest.mark.parametrize("case", NASTY)
def test_a_header_of_stomp_is_no_frame_of_an_older_stomp(broker: Broker, case: str, version: str) -> None:
    nasty = NASTY[case].replace("\0", "")
    with unharmed(broker, 8), StompPeer.login(broker, version=version) as old, StompPeer.login(broker) as peer:
        old.subscribe("/topic/headers")
        headers = {"destination": "/topic/headers", "mine": escape(nasty), escape("k:" + nasty): "v", "after": "x"}
        peer.do("SEND", headers, b"real")
        message = old.message()
        assert (message.body, message.get("after")) == (b"real", "x")
        assert "forged" not in message
        if version == "1.2":
            assert message["mine"] == nasty
        old.nothing_comes()


@pytest.mark.parametrize("name", ["a+b", "a#b", "+", "#", "a.#", "a.+.b"])
def test_mqtt_never_gets_a_topic_with_a_wildcard(broker: Broker, name: str) -> None:
    with unharmed(broker, 8), MqttPeer.login(broker) as peer, StompPeer.login(broker) as stomp:
        assert peer.subscribe("wild/#") == [1]
        try:
            stomp.publish(f"/topic/wild.{name}", b"x")
        except StompError:
            peer.nothing_comes()
            return
        stomp.publish("/topic/wild.after", b"after")
        message = peer.message()
        while message.body != b"after":
            assert not set("+#") & set(message.topic), message.topic
            message = peer.message()


@pytest.mark.parametrize("name", ["a.*", ">", "a.>", "*.b", "*"])
@pytest.mark.parametrize("kind", ["queue", "topic"])
def test_nothing_is_sent_to_a_wildcard(broker: Broker, kind: str, name: str) -> None:
    with unharmed(broker, 8) as bystander, StompPeer.login(broker) as peer:
        bystander.stomp.subscribe(f"/{kind}/a.b", id="ab")
        peer.send("SEND", {"destination": f"/{kind}/{name}"}, b"x")
        assert "wildcard" in peer.refused()["message"].lower()
        bystander.stomp.nothing_comes()


@pytest.mark.parametrize("name", ["", ".", "a..b", ".a", "a.", "a" * 5000, "a." * 200 + "a", "\x00a", "a\x07b", "a b"])
@pytest.mark.parametrize("command", ["SEND", "SUBSCRIBE"])
def test_odd_names_are_refused_or_work(broker: Broker, command: str, name: str) -> None:
    with unharmed(broker, 8), StompPeer.login(broker) as peer:
        try:
            peer.do(command, {"destination": f"/queue/{name}", "id": "1"})
        except StompError as error:
            assert len(error.frame["message"]) < 1000


@pytest.mark.parametrize("client_id", ["+", "#", "a/+", "*", ">", "a\nb", "a\0b", "a\x1bb", "x" * 257, "x" * 60_000])
def test_odd_client_ids_are_refused(broker: Broker, client_id: str) -> None:
    with unharmed(broker, 8):
        with pytest.raises((Refused, Closed)):
            MqttPeer.login(broker, client_id=client_id)


@pytest.mark.parametrize("client_id", ["*", "a>b", "a\x1bb", "x" * 1000])
def test_odd_client_ids_of_stomp_are_refused(broker: Broker, client_id: str) -> None:
    with unharmed(broker, 8):
        with pytest.raises((StompError, Closed)):
            StompPeer.login(broker, client_id=client_id)


def test_a_topic_of_many_levels_costs_nothing(broker: Broker) -> None:
    with unharmed(broker, 32), MqttPeer.login(broker) as peer:
        deep = "/".join(["+"] * 128)
        assert peer.subscribe(deep, "/".join(["+"] * 400), "#", "/".join(["a"] * 127) + "/#")[1] == 0x80
        for levels in (10, 127, 128):
            peer.publish("/".join(["a"] * levels), b"x", qos=1)
            assert peer.message().body == b"x"


def test_messages_of_a_will_are_the_same_as_others(broker: Broker) -> None:
    """A will is refused with the CONNECT when its topic is none."""
    for topic in ("a/+", "#", "", "a\0b"):
        wire = MqttPeer.open(broker)
        wire.send(mqtt.connect(broker.admin, "will", will=(topic, b"x", 1, False)))
        assert b"\x20\2\0\0" not in wire.wire.wait_closed()
