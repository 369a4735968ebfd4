"""paho-mqtt: sessions that stay, reconnects, restarts, take-over."""

import pytest

from interop.paho_client import PahoClient, paho_client
from keepmq_testing.broker import Broker
from keepmq_testing.mqtt_peer import MqttPeer
from keepmq_testing.waiting import eventually


@pytest.mark.parametrize("qos", [1, 2])
def test_a_session_that_stays_catches_up_after_a_reconnect(broker: Broker, name: str, qos: int) -> None:
    with paho_client(broker, client_id=name, clean=False) as client:
        assert not client.session_present
        client.subscribe(name, qos=qos)
    with paho_client(broker) as publisher:
        for number in range(10):
            publisher.publish(name, str(number), qos=qos)
    with paho_client(broker, client_id=name, clean=False) as client:
        assert client.session_present
        messages = [client.message() for _ in range(10)]
        assert [message.payload for message in messages] == [str(n).encode() for n in range(10)]
        assert {message.qos for message in messages} == {qos}
        client.nothing_comes()


@pytest.mark.parametrize("qos", [1, 2])
def test_a_session_that_stays_survives_a_restart(own_broker: Broker, name: str, qos: int) -> None:
    with paho_client(own_broker, client_id=name, clean=False) as client:
        client.subscribe(name, f"{name}/+", qos=qos)
    with paho_client(own_broker) as publisher:
        publisher.publish(name, "before", qos=qos)
    own_broker.restart()
    with paho_client(own_broker) as publisher:
        publisher.publish(f"{name}/x", "after", qos=qos)
    with paho_client(own_broker, client_id=name, clean=False) as client:
        assert client.session_present
        assert [client.message().payload for _ in range(2)] == [b"before", b"after"]
        client.nothing_comes()


def test_a_clean_session_begins_anew(broker: Broker, name: str) -> None:
    with paho_client(broker, client_id=name, clean=False) as client:
        client.subscribe(name)
    with paho_client(broker, client_id=name, clean=True) as client:
        assert not client.session_present
    with paho_client(broker) as publisher:
        publisher.publish(name, "missed")
    with paho_client(broker, client_id=name, clean=False) as client:
        assert not client.session_present
        client.nothing_comes()


def test_an_unacknowledged_message_comes_again_as_a_duplicate(broker: Broker, name: str) -> None:
    with MqttPeer.login(broker, client_id=name, clean=False) as peer:
        peer.subscribe(name, qos=1)
        peer.publish(name, b"again")
        first = peer.message(answer=False)
        assert not first.duplicate
    with MqttPeer.login(broker, client_id=name, clean=False) as peer:
        second = peer.message()
        assert (second.body, second.duplicate, second.number) == (b"again", True, first.number)
        peer.nothing_comes()


def test_a_second_client_with_the_id_takes_over(broker: Broker, name: str) -> None:
    first = PahoClient(broker, client_id=name, clean=False)
    first.connect()
    first.subscribe(name)
    with paho_client(broker, client_id=name, clean=False) as second:
        first.wait_disconnected()
        assert second.session_present
        second.publish(name, "to the second")
        assert second.message().payload == b"to the second"
    first.disconnect()
    assert first.messages.empty()


def test_a_client_comes_back_by_itself_after_a_restart(own_broker: Broker, name: str) -> None:
    client = PahoClient(own_broker, client_id=name, clean=False)
    client.client._reconnect_on_failure = True
    client.client.reconnect_delay_set(1, 1)
    client.connect()
    client.subscribe(name)
    own_broker.restart()
    eventually(lambda: len(client.reasons) == 2 and client.connected.is_set(), "connected again")
    client.publish(name, "there again")
    assert client.message().payload == b"there again"
    client.disconnect()
