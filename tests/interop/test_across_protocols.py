"""One set of destinations for all protocols: stomp.py, paho-mqtt and OpenWire hear each other."""

import pytest

from interop.paho_client import PahoClient, paho_client
from interop.stomp_client import stomp_client
from keepmq_testing import openwire_peer as openwire
from keepmq_testing.broker import Broker
from keepmq_testing.openwire_peer import OpenWirePeer

BINARY = bytes(range(256))


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_stomp_hears_mqtt(broker: Broker, name: str, qos: int, version: str) -> None:
    with stomp_client(broker, version) as stomp, paho_client(broker) as mqtt:
        base = f"{name}-{qos}".replace(".", "")
        stomp.subscribe(f"/topic/{base}.eu.orders")
        mqtt.publish(f"{base}/eu/orders", "hello", qos=qos)
        message = stomp.message()
        assert message.body == "hello"
        assert message.headers["destination"] == f"/topic/{base}.eu.orders"
        assert message.headers["JMSXUserID"] == "admin"
        assert message.headers.get("persistent", "false") == ("false" if qos == 0 else "true")
        stomp.nothing_comes()


@pytest.mark.parametrize("persistent", ["true", "false"])
def test_mqtt_hears_stomp(broker: Broker, name: str, persistent: str) -> None:
    with stomp_client(broker) as stomp, paho_client(broker) as mqtt:
        mqtt.subscribe(f"{name}/eu/orders", qos=2)
        stomp.send(f"/topic/{name}.eu.orders", "hello", persistent=persistent, some="header")
        message = mqtt.message()
        assert (message.topic, message.payload) == (f"{name}/eu/orders", b"hello")
        assert message.qos == 1
        mqtt.nothing_comes()


def test_bytes_pass_unchanged_both_ways(broker: Broker, name: str) -> None:
    with stomp_client(broker, auto_decode=False) as stomp, paho_client(broker) as mqtt:
        stomp.subscribe(f"/topic/{name}.up")
        mqtt.publish(f"{name}/up", BINARY)
        assert stomp.message().body == BINARY
        mqtt.subscribe(f"{name}/down")
        stomp.send(f"/topic/{name}.down", BINARY)
        assert mqtt.message().payload == BINARY


def test_text_passes_as_utf_8_both_ways(broker: Broker, name: str) -> None:
    text = "Grüße, 世界 🙂"
    with stomp_client(broker, auto_content_length=False) as stomp, paho_client(broker) as mqtt:
        stomp.subscribe(f"/topic/{name}.up")
        mqtt.publish(f"{name}/up", text)
        assert stomp.message().body == text
        mqtt.subscribe(f"{name}/down")
        stomp.send(f"/topic/{name}.down", text)
        assert mqtt.message().payload == text.encode()


def test_slashes_and_dots_change_places(broker: Broker, name: str) -> None:
    with stomp_client(broker) as stomp, paho_client(broker) as mqtt:
        stomp.subscribe(f"/topic/{name}.v1/2.x")
        mqtt.publish(f"{name}/v1.2/x", "dots")
        assert stomp.message().body == "dots"
        mqtt.subscribe(f"{name}/+/y")
        stomp.send(f"/topic/{name}.v1/2.y", "slashes")
        message = mqtt.message()
        assert (message.topic, message.payload) == (f"{name}/v1.2/y", b"slashes")


def test_wildcards_of_one_match_topics_of_the_other(broker: Broker, name: str) -> None:
    with stomp_client(broker) as stomp, paho_client(broker) as mqtt:
        stomp.subscribe(f"/topic/{name}.*.temp", id="one")
        stomp.subscribe(f"/topic/{name}.>", id="all")
        mqtt.publish(f"{name}/kitchen/temp", "21")
        messages = {stomp.message().headers["subscription"] for _ in range(2)}
        assert messages == {"one", "all"}
        mqtt.publish(f"{name}/kitchen/light", "on")
        assert stomp.message().headers["subscription"] == "all"
        mqtt.subscribe(f"{name}/#")
        stomp.send(f"/topic/{name}.garden.temp", "7")
        assert mqtt.message().topic == f"{name}/garden/temp"


def test_mqtt_reaches_a_durable_subscription_of_stomp(own_broker: Broker, name: str) -> None:
    durable = {"activemq.subscriptionName": "readings"}
    with stomp_client(own_broker, client_id=name) as stomp:
        stomp.subscribe(f"/topic/{name}", ack="client", **durable)
    with paho_client(own_broker) as mqtt:
        mqtt.publish(name, "one", qos=1)
        mqtt.publish(name, "two", qos=2)
    own_broker.restart()
    with stomp_client(own_broker, client_id=name) as stomp:
        stomp.subscribe(f"/topic/{name}", ack="client", **durable)
        assert [stomp.message().body for _ in range(2)] == ["one", "two"]
        stomp.nothing_comes()


def test_stomp_reaches_a_session_of_mqtt_that_stays(own_broker: Broker, name: str) -> None:
    with paho_client(own_broker, client_id=name, clean=False) as mqtt:
        mqtt.subscribe(f"{name}/#", qos=1)
    with stomp_client(own_broker) as stomp:
        stomp.send(f"/topic/{name}.a", "before")
    own_broker.restart()
    with stomp_client(own_broker) as stomp:
        stomp.send(f"/topic/{name}.a", "after")
    with paho_client(own_broker, client_id=name, clean=False) as mqtt:
        messages = [mqtt.message() for _ in range(2)]
        assert [message.payload for message in messages] == [b"before", b"after"]
        assert {message.qos for message in messages} == {1}
        mqtt.nothing_comes()


def test_a_retained_message_of_mqtt_comes_to_a_new_subscription_of_stomp(broker: Broker, name: str) -> None:
    with stomp_client(broker) as stomp, paho_client(broker) as mqtt:
        mqtt.publish(name, "kept", retain=True)
        stomp.subscribe(f"/topic/{name}", id="new")
        assert stomp.message().body == "kept"
        stomp.subscribe(f"/topic/{name}", id="without", **{"activemq.retroactive": "false"})
        stomp.nothing_comes()


def test_a_will_of_mqtt_reaches_stomp(broker: Broker, name: str) -> None:
    with stomp_client(broker) as stomp:
        stomp.subscribe(f"/topic/{name}")
        client = PahoClient(broker)
        client.client.will_set(name, "gone", 1)
        client.connect()
        client.vanish()
        assert stomp.message().body == "gone"


def test_a_composite_send_of_stomp_reaches_mqtt(broker: Broker, name: str) -> None:
    with stomp_client(broker) as stomp, paho_client(broker) as mqtt:
        mqtt.subscribe(f"{name}/#")
        stomp.send(f"/queue/{name},/topic/{name}.a,/topic/{name}.b", "all")
        assert {mqtt.message().topic for _ in range(2)} == {f"{name}/a", f"{name}/b"}
        stomp.subscribe(f"/queue/{name}")
        assert stomp.message().body == "all"


def test_a_transaction_of_stomp_is_heard_by_mqtt_when_it_is_committed(broker: Broker, name: str) -> None:
    with stomp_client(broker) as stomp, paho_client(broker) as mqtt:
        mqtt.subscribe(name)
        stomp.connection.begin("t")
        stomp.send(f"/topic/{name}", "one", transaction="t")
        mqtt.nothing_comes()
        stomp.connection.commit("t")
        assert mqtt.message().payload == b"one"


def test_a_queue_is_not_a_topic(broker: Broker, name: str) -> None:
    with stomp_client(broker) as stomp, paho_client(broker) as mqtt:
        mqtt.subscribe(name)
        stomp.send(f"/queue/{name}", "for the queue")
        mqtt.nothing_comes()


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_openwire_hears_mqtt_as_bytes(broker: Broker, name: str, qos: int) -> None:
    base = f"{name}-{qos}".replace(".", "")
    with OpenWirePeer.login(broker) as jms, paho_client(broker) as mqtt:
        jms.subscribe(openwire.topic(f"{base}.eu.*"))
        mqtt.publish(f"{base}/eu/orders", BINARY, qos=qos)
        message = jms.delivery()["message"]
        assert (message["@type"], openwire.content(message)) == ("ActiveMQBytesMessage", BINARY)
        assert message["destination"] == openwire.topic(f"{base}.eu.orders")
        assert (message["userID"], message["persistent"]) == ("admin", qos > 0)


def test_mqtt_hears_openwire(broker: Broker, name: str) -> None:
    text = "Grüße, 世界"
    with OpenWirePeer.login(broker) as jms, paho_client(broker) as mqtt:
        mqtt.subscribe(f"{name}/#", qos=1)
        destination = openwire.topic(f"{name}.down")
        jms.ask("ActiveMQBytesMessage", **jms.message(destination, BINARY))
        content = len(text.encode()).to_bytes(4) + text.encode()
        jms.ask("ActiveMQTextMessage", **jms.message(destination, content))
        heard = [mqtt.message() for _ in range(2)]
        assert [message.payload for message in heard] == [BINARY, text.encode()]
        assert {(message.topic, message.qos) for message in heard} == {(f"{name}/down", 1)}


def test_a_retained_message_of_mqtt_comes_to_a_new_subscription_of_openwire(broker: Broker, name: str) -> None:
    with OpenWirePeer.login(broker) as jms, paho_client(broker) as mqtt:
        mqtt.publish(f"{name}/state", "on", retain=True)
        jms.subscribe(openwire.topic(f"{name}.state"))
        assert openwire.content(jms.delivery()["message"]) == b"on"


@pytest.mark.parametrize("kind", ["ActiveMQTextMessage", "ActiveMQBytesMessage"])
def test_stomp_and_openwire_share_a_queue(broker: Broker, name: str, kind: str) -> None:
    queue = openwire.queue(name)
    with OpenWirePeer.login(broker) as jms, stomp_client(broker, auto_content_length=False) as stomp:
        content = b"\0\0\0\5hello" if kind == "ActiveMQTextMessage" else b"hello"
        jms.ask(kind, **jms.message(queue, content, groupID="g"))
        stomp.subscribe(f"/queue/{name}")
        message = stomp.message()
        assert (message.body, message.headers["JMSXGroupID"]) == ("hello", "g")
        stomp.unsubscribe("1")
        jms.subscribe(queue)
        headers = {} if kind == "ActiveMQTextMessage" else {"content-length": "5"}
        stomp.send(f"/queue/{name}", "world", **headers)
        back = jms.delivery()["message"]
        assert (back["@type"], openwire.content(back)) == (kind, b"world")
