"""paho-mqtt: quality of service, retained messages, wills, wildcards, versions, refusals."""

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from interop.paho_client import PahoClient, paho_client
from keepmq_testing.broker import Broker, User
from keepmq_testing.waiting import eventually

VERSIONS = [paho.MQTTv31, paho.MQTTv311]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("down", [0, 1, 2])
@pytest.mark.parametrize("up", [0, 1, 2])
def test_the_lower_quality_of_service_holds(broker: Broker, name: str, version: int, up: int, down: int) -> None:
    with paho_client(broker, client_id=f"c{version}{up}{down}", version=version) as client:
        assert client.subscribe(name, qos=down) == [down]
        client.publish(name, b"body", qos=up)
        message = client.message()
        assert (message.topic, message.payload, message.qos) == (name, b"body", min(up, down))
        assert not message.dup and not message.retain
        client.nothing_comes()


def test_order_is_kept_for_each_quality_of_service(broker: Broker, name: str) -> None:
    with paho_client(broker) as client:
        client.subscribe(f"{name}/#", qos=2)
        for qos in (0, 1, 2):
            for number in range(100):
                client.client.publish(f"{name}/{qos}", str(number), qos)
            seen = [client.message().payload for _ in range(100)]
            assert seen == [str(number).encode() for number in range(100)]


def test_a_large_payload_arrives_whole(broker: Broker, name: str) -> None:
    body = bytes(range(256)) * 4 * 1024 * 8
    with paho_client(broker) as client:
        client.subscribe(name, qos=2)
        client.publish(name, body, qos=2)
        assert client.message().payload == body


def test_an_empty_payload_arrives_empty(broker: Broker, name: str) -> None:
    with paho_client(broker) as client:
        client.subscribe(name)
        client.publish(name, b"")
        assert client.message().payload == b""


def test_a_retained_message_comes_to_later_subscribers(broker: Broker, name: str) -> None:
    with paho_client(broker) as client:
        client.publish(f"{name}/a", "first", retain=True)
        client.publish(f"{name}/a", "latest", retain=True)
        client.publish(f"{name}/b", "other", retain=True)
        client.subscribe(f"{name}/a")
        message = client.message()
        assert (message.payload, message.retain) == (b"latest", True)
        client.publish(f"{name}/a", "live", retain=True)
        message = client.message()
        assert (message.payload, message.retain) == (b"live", False)
    with paho_client(broker) as client:
        client.subscribe(f"{name}/#")
        assert sorted(client.message().payload for _ in range(2)) == [b"live", b"other"]


def test_an_empty_retained_message_removes_the_one_before(broker: Broker, name: str) -> None:
    with paho_client(broker) as client:
        client.publish(name, "kept", retain=True)
        client.publish(name, b"", retain=True)
        client.subscribe(name)
        client.nothing_comes()


def test_retained_messages_survive_a_restart(own_broker: Broker, name: str) -> None:
    with paho_client(own_broker) as client:
        client.publish(name, "kept", retain=True)
        client.publish(f"{name}/gone", "x", retain=True)
        client.publish(f"{name}/gone", b"", retain=True)
    own_broker.restart()
    with paho_client(own_broker) as client:
        client.subscribe(f"{name}/#")
        message = client.message()
        assert (message.payload, message.retain) == (b"kept", True)
        client.nothing_comes()


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_will_is_published_when_its_client_vanishes(broker: Broker, name: str, qos: int) -> None:
    with paho_client(broker) as watcher:
        watcher.subscribe(name, qos=2)
        client = PahoClient(broker)
        client.client.will_set(name, "gone", qos)
        client.connect()
        client.vanish()
        message = watcher.message()
        assert (message.payload, message.qos) == (b"gone", qos)


def test_a_retained_will_stays(broker: Broker, name: str) -> None:
    with paho_client(broker) as watcher:
        watcher.subscribe(name)
        client = PahoClient(broker)
        client.client.will_set(name, "gone", 1, retain=True)
        client.connect()
        client.vanish()
        watcher.message()
    with paho_client(broker) as later:
        later.subscribe(name)
        message = later.message()
        assert (message.payload, message.retain) == (b"gone", True)


def test_no_will_is_published_after_a_good_bye(broker: Broker, name: str) -> None:
    with paho_client(broker) as watcher:
        watcher.subscribe(name)
        client = PahoClient(broker)
        client.client.will_set(name, "gone", 1)
        client.connect()
        client.disconnect()
        eventually(lambda: client.disconnections, "the client's end")
        watcher.nothing_comes()


@pytest.mark.parametrize(
    ("pattern", "heard"),
    [
        ("+", ["a"]),
        ("+/b", ["a/b"]),
        ("a/+", ["a/b", "a/"]),
        ("a/#", ["a", "a/b", "a/b/c", "a/"]),
        ("#", ["a", "a/b", "a/b/c", "a/", "/z"]),
        ("/+", ["/z"]),
        ("+/+", ["a/b", "a/", "/z"]),
    ],
)
def test_wildcards_match_as_the_specification_says(
    broker: Broker, name: str, pattern: str, heard: list[str]
) -> None:
    base = name.replace("+", "x").replace("#", "y").replace("/", "z")
    with paho_client(broker) as client:
        client.subscribe(f"{base}/{pattern}")
        for topic in ("a", "a/b", "a/b/c", "a/", "/z"):
            client.publish(f"{base}/{topic}", topic)
        assert [client.message().payload.decode() for _ in heard] == heard
        client.nothing_comes()


def test_overlapping_filters_bring_one_copy(broker: Broker, name: str) -> None:
    with paho_client(broker) as client:
        client.subscribe(f"{name}/#", qos=0)
        client.subscribe(f"{name}/a", qos=2)
        client.publish(f"{name}/a", "x", qos=2)
        assert client.message().qos == 2
        client.nothing_comes()


def test_an_ended_subscription_hears_nothing_more(broker: Broker, name: str) -> None:
    with paho_client(broker) as client:
        client.subscribe(name)
        client.client.unsubscribe(name)
        client.publish(name, "x")
        client.nothing_comes()


def test_the_status_topics_tell_of_the_broker(broker: Broker) -> None:
    with paho_client(broker) as client:
        client.subscribe("$SYS/broker/#")
        seen: dict[str, bytes] = {}
        wanted = {"$SYS/broker/version", "$SYS/broker/uptime", "$SYS/broker/clients/connected"}
        while not wanted <= set(seen):
            message = client.message()
            seen[message.topic] = message.payload
        assert seen["$SYS/broker/version"].startswith(b"KeepMQ")
        assert int(seen["$SYS/broker/clients/connected"]) >= 0


def test_status_topics_are_not_among_all_others(broker: Broker, name: str) -> None:
    with paho_client(broker) as client:
        client.subscribe("$SYS/broker/version")
        client.message()
    with paho_client(broker) as client:
        client.subscribe("#")
        client.publish(name, "mark")
        assert not client.message().topic.startswith("$SYS")


@pytest.mark.parametrize(
    "user", [User("admin", "wrong"), User("nobody", "wrong"), User("admin", "")], ids=["wrong", "unknown", "empty"]
)
def test_a_wrong_login_is_refused_with_its_code(broker: Broker, user: User) -> None:
    client = PahoClient(broker, user=user)
    client.begin()
    eventually(lambda: client.reasons, "the CONNACK")
    client.disconnect()
    assert "user name or password" in str(client.reasons[0]).lower()


def test_a_client_without_a_login_is_refused(broker: Broker) -> None:
    client = PahoClient(broker)
    client.client.username_pw_set(None, None)
    client.begin()
    eventually(lambda: client.reasons, "the CONNACK")
    client.disconnect()
    assert client.reasons[0].is_failure
    broker.audited("login-refused", user="")


def test_mqtt_5_is_refused_with_its_own_code(broker: Broker) -> None:
    reasons = []
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=False)
    client.tls_set(str(broker.ca))
    client.username_pw_set(broker.admin.name, broker.admin.password)
    client.on_connect = lambda _client, _data, _flags, reason, _properties: reasons.append(reason)
    client.connect("127.0.0.1", broker.port("mqtt"))
    client.loop_start()
    eventually(lambda: reasons or not client.is_connected(), "an answer")
    eventually(lambda: reasons, "the CONNACK", within=5)
    client.loop_stop()
    assert "protocol version" in str(reasons[0]).lower()


def test_the_broker_is_not_trusted_without_its_ca(broker: Broker, own_broker: Broker) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.tls_set(str(own_broker.ca))
    with pytest.raises(OSError, match="certificate verify failed"):
        client.connect("127.0.0.1", broker.port("mqtt"))


def test_keep_alive_is_kept_by_pings(broker: Broker, name: str) -> None:
    client = PahoClient(broker)
    client.connect(keep_alive=1)
    pings = []
    client.client.on_log = lambda _client, _data, _level, text: "PINGRESP" in text and pings.append(text)
    eventually(lambda: len(pings) >= 3, "three answers to pings")
    assert client.client.is_connected()
    client.disconnect()


def test_a_message_of_a_transaction_of_calls_is_answered_once(broker: Broker, name: str) -> None:
    with paho_client(broker) as client:
        info = client.client.publish(name, "x", 2)
        info.wait_for_publish(10)
        assert info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS and info.is_published()
