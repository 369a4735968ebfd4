"""stomp.py: topics, durable subscriptions, wildcards."""

import pytest
import stomp

from interop.stomp_client import StompClient, stomp_client
from keepmq_testing.broker import Broker

DURABLE = {"activemq.subscriptionName": "news"}


@pytest.mark.parametrize("header", ["activemq.subscriptionName", "durable-subscription-name"])
def test_a_durable_subscription_catches_up_after_a_reconnect(broker: Broker, name: str, header: str) -> None:
    with stomp_client(broker, client_id=name) as client:
        client.subscribe(f"/topic/{name}", **{header: "news"})
    with stomp_client(broker) as publisher:
        publisher.send(f"/topic/{name}", "while away")
    with stomp_client(broker, client_id=name) as client:
        client.subscribe(f"/topic/{name}", **{header: "news"})
        assert client.message().body == "while away"
        client.unsubscribe("1", **{header: "news"})
    with stomp_client(broker) as publisher:
        publisher.send(f"/topic/{name}", "nobody waits any more")
    with stomp_client(broker, client_id=name) as client:
        client.subscribe(f"/topic/{name}", **{header: "news"})
        client.nothing_comes()


def test_a_durable_subscription_survives_a_restart(own_broker: Broker, name: str) -> None:
    with stomp_client(own_broker, client_id=name) as client:
        client.subscribe(f"/topic/{name}", ack="client-individual", **DURABLE)
        client.send(f"/topic/{name}", "seen, not acknowledged")
        client.message()
    with stomp_client(own_broker) as publisher:
        publisher.send(f"/topic/{name}", "before")
    own_broker.restart()
    with stomp_client(own_broker) as publisher:
        publisher.send(f"/topic/{name}", "after")
    with stomp_client(own_broker, client_id=name) as client:
        client.subscribe(f"/topic/{name}", ack="client-individual", **DURABLE)
        messages = [client.message() for _ in range(3)]
        assert [message.body for message in messages] == ["seen, not acknowledged", "before", "after"]


def test_a_durable_subscription_needs_a_client_id(broker: Broker, name: str) -> None:
    with stomp_client(broker) as client:
        client.connection.subscribe(f"/topic/{name}", id="1", headers=DURABLE)
        assert "client-id" in client.error().headers["message"]


def test_a_client_id_is_held_once(broker: Broker, name: str) -> None:
    with stomp_client(broker, client_id=name) as first:
        second = StompClient(broker)
        with pytest.raises(stomp.exception.ConnectFailedException):
            second.connect(client_id=name)
        assert "in conflict" in second.error().headers["message"]
        first.nothing_comes()


def test_a_plain_subscription_hears_only_while_it_is_there(broker: Broker, name: str) -> None:
    with stomp_client(broker) as client:
        client.send(f"/topic/{name}", "before")
        client.subscribe(f"/topic/{name}")
        client.send(f"/topic/{name}", "after")
        assert client.message().body == "after"
        client.nothing_comes()


@pytest.mark.parametrize(
    ("pattern", "heard"),
    [
        ("*", ["a"]),
        ("*.b", ["a.b"]),
        ("a.*", ["a.b"]),
        ("a.>", ["a", "a.b", "a.b.c"]),
        (">", ["a", "a.b", "a.b.c", "z.z.z"]),
    ],
)
def test_wildcards_match_as_in_activemq(broker: Broker, name: str, pattern: str, heard: list[str]) -> None:
    base = name.replace("*", "x").replace(">", "y")
    with stomp_client(broker) as client:
        client.subscribe(f"/topic/{base}.{pattern}")
        for topic in ("a", "a.b", "a.b.c", "z.z.z"):
            client.send(f"/topic/{base}.{topic}", topic)
        assert [client.message().body for _ in heard] == heard
        client.nothing_comes()


def test_overlapping_subscriptions_each_get_their_copy(broker: Broker, name: str) -> None:
    with stomp_client(broker) as client:
        client.subscribe(f"/topic/{name}.>", id="wide")
        client.subscribe(f"/topic/{name}.a", id="narrow")
        client.send(f"/topic/{name}.a", "x")
        assert {client.message().headers["subscription"] for _ in range(2)} == {"wide", "narrow"}
        client.nothing_comes()
