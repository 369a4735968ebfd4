"""stomp.py: connecting, sending, receiving, receipts, bodies, headers, transactions, heart-beats."""

import json
import time

import pytest
import stomp

from interop.stomp_client import CONNECTIONS, StompClient, stomp_client
from keepmq_testing.broker import Broker, User
from keepmq_testing.waiting import eventually

VERSIONS = list(CONNECTIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_is_negotiated_and_carries_a_message(broker: Broker, name: str, version: str) -> None:
    with stomp_client(broker, version) as client:
        connected = client.ears.connected[0].headers
        assert connected.get("version", "1.0") == version
        assert connected["session"]
        client.subscribe(f"/queue/{name}")
        client.send(f"/queue/{name}", "hello")
        message = client.message()
        assert message.body == "hello"
        assert message.headers["destination"] == f"/queue/{name}"
        assert message.headers["subscription"] == "1"
        assert message.headers["message-id"]
        client.nothing_comes()


def test_a_wrong_password_is_answered_with_an_error(broker: Broker) -> None:
    client = StompClient(broker)
    with pytest.raises(stomp.exception.ConnectFailedException):
        client.connect(User("admin", "not the password"))
    error = client.error()
    assert "User name [admin] or password is invalid." in error.headers["message"]
    decision = error.headers["message"].split("(decision ")[1].rstrip(")")
    record = broker.explain(decision)
    assert (record["event"], record["user"]) == ("login-refused", "admin")


def test_the_broker_is_not_trusted_without_its_ca(broker: Broker, own_broker: Broker) -> None:
    client = StompClient(broker)
    address = ("127.0.0.1", broker.port("stomp"))
    client.connection.set_ssl([address], ca_certs=str(own_broker.ca))
    with pytest.raises(stomp.exception.ConnectFailedException):
        client.connect()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_transaction_is_delivered_when_it_is_committed(broker: Broker, name: str, version: str) -> None:
    with stomp_client(broker, version) as client:
        client.subscribe(f"/queue/{name}")
        client.connection.begin("t1")
        client.send(f"/queue/{name}", "one", transaction="t1")
        client.send(f"/queue/{name}", "two", transaction="t1")
        client.nothing_comes()
        client.connection.commit("t1")
        assert [client.message().body, client.message().body] == ["one", "two"]


def test_an_aborted_transaction_is_never_seen(broker: Broker, name: str) -> None:
    with stomp_client(broker) as client:
        client.subscribe(f"/queue/{name}")
        client.connection.begin("t1")
        client.send(f"/queue/{name}", "dropped", transaction="t1")
        client.connection.abort("t1")
        client.send(f"/queue/{name}", "kept")
        assert client.message().body == "kept"
        client.nothing_comes()


def test_acknowledgements_of_an_aborted_transaction_do_not_count(broker: Broker, name: str) -> None:
    with stomp_client(broker) as client:
        client.send(f"/queue/{name}", "again")
        client.subscribe(f"/queue/{name}", ack="client-individual")
        message = client.message()
        client.connection.begin("t1")
        client.ack(message, transaction="t1")
        client.connection.abort("t1")
    with stomp_client(broker) as client:
        client.subscribe(f"/queue/{name}")
        message = client.message()
        assert (message.body, message.headers["redelivered"]) == ("again", "true")


def test_acknowledgements_of_a_committed_transaction_count(broker: Broker, name: str) -> None:
    with stomp_client(broker) as client:
        client.send(f"/queue/{name}", "once")
        client.subscribe(f"/queue/{name}", ack="client-individual")
        client.connection.begin("t1")
        client.ack(client.message(), transaction="t1")
        client.send(f"/queue/{name}-answers", "done", transaction="t1")
        client.connection.commit("t1")
    with stomp_client(broker) as client:
        client.subscribe(f"/queue/{name}-answers")
        assert client.message().body == "done"
        client.subscribe(f"/queue/{name}", id="2")
        client.nothing_comes()


def test_a_body_with_nul_bytes_arrives_whole(broker: Broker, name: str) -> None:
    body = b"\0begin\0middle\r\n\0\0end\0" + bytes(range(256))
    with stomp_client(broker, auto_decode=False) as client:
        client.subscribe(f"/queue/{name}")
        client.send(f"/queue/{name}", body)
        message = client.message()
        assert message.body == body
        assert message.headers["content-length"] == str(len(body))


def test_a_body_without_content_length_is_text(broker: Broker, name: str) -> None:
    with stomp_client(broker, auto_content_length=False) as client:
        client.subscribe(f"/queue/{name}")
        client.send(f"/queue/{name}", "Grüße, 世界 🙂")
        assert client.message().body == "Grüße, 世界 🙂"


def test_an_empty_body_arrives_empty(broker: Broker, name: str) -> None:
    with stomp_client(broker) as client:
        client.subscribe(f"/queue/{name}")
        client.send(f"/queue/{name}", "")
        assert not client.message().body


def test_a_large_body_arrives_whole(broker: Broker, name: str) -> None:
    body = bytes(range(256)) * 4 * 1024 * 4
    with stomp_client(broker, auto_decode=False) as client:
        client.subscribe(f"/queue/{name}")
        client.send(f"/queue/{name}", body)
        assert client.message().body == body


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_header_values_are_escaped_and_come_back(broker: Broker, name: str, version: str) -> None:
    values = {"colon": "a:b::c", "line": "one\ntwo", "back": "a\\b\\n", "utf": "Grüße 世界", "space": " a  b "}
    if version == "1.2":
        values["return"] = "one\r\ntwo"
    with stomp_client(broker, version) as client:
        client.subscribe(f"/queue/{name}")
        client.send(f"/queue/{name}", "x", **values)
        headers = client.message().headers
        assert {key: headers[key] for key in values} == values


def test_users_headers_and_the_known_ones_come_back(broker: Broker, name: str) -> None:
    sent = {
        "priority": "7",
        "correlation-id": "c-1",
        "type": "order",
        "reply-to": f"/queue/{name}-replies",
        "content-type": "application/json",
        "my-header": "mine",
    }
    with stomp_client(broker) as client:
        client.subscribe(f"/queue/{name}")
        client.send(f"/queue/{name}", json.dumps({"a": 1}), **sent)
        headers = client.message().headers
        assert {key: headers[key] for key in sent} == sent
        assert headers["JMSXUserID"] == "admin"
        assert headers["persistent"] == "true"
        assert abs(int(headers["timestamp"]) / 1000 - time.time()) < 60


def test_nobody_can_speak_in_anothers_name(broker: Broker, name: str) -> None:
    with stomp_client(broker) as client:
        client.subscribe(f"/queue/{name}")
        client.send(f"/queue/{name}", "x", JMSXUserID="somebody", **{"message-id": "mine"})
        headers = client.message().headers
        assert headers["JMSXUserID"] == "admin"
        assert headers["message-id"] != "mine"


def test_heart_beats_go_both_ways(broker: Broker) -> None:
    with stomp_client(broker, heartbeats=(1000, 1000)) as client:
        assert client.ears.connected[0].headers["heart-beat"] == "1000,1000"
        # A client that were not heard would be gone after two intervals.
        eventually(lambda: client.ears.heartbeats >= 4, "four heart-beats")
        assert client.connection.is_connected()
        assert client.ears.heartbeat_timeouts == 0


def test_a_client_without_heart_beats_is_left_in_peace(broker: Broker, name: str) -> None:
    with stomp_client(broker, heartbeats=(0, 0)) as client:
        assert client.ears.connected[0].headers["heart-beat"].endswith(",0")
        client.subscribe(f"/queue/{name}")
        client.send(f"/queue/{name}", "here")
        assert client.message().body == "here"


@pytest.mark.parametrize("kind", ["queue", "topic"])
def test_a_selector_chooses(broker: Broker, name: str, kind: str) -> None:
    with stomp_client(broker) as client:
        client.subscribe(f"/{kind}/{name}", selector="color = 'red' AND size NOT IN ('s', 'm')")
        for body, color, size in [("1", "blue", "l"), ("2", "red", "s"), ("3", "red", "l")]:
            client.send(f"/{kind}/{name}", body, color=color, size=size)
        assert client.message().body == "3"
        client.nothing_comes()


def test_what_is_no_selector_is_refused_with_its_place(broker: Broker, name: str) -> None:
    with stomp_client(broker) as client:
        client.connection.subscribe(f"/queue/{name}", id="1", headers={"selector": "color = = 'red'"})
        message = client.error().headers["message"]
        assert "invalid selector: at byte 8 of the selector" in message, message


def test_a_subscription_that_ended_hears_nothing_more(broker: Broker, name: str) -> None:
    with stomp_client(broker) as client:
        client.subscribe(f"/topic/{name}")
        client.send(f"/topic/{name}", "heard")
        assert client.message().body == "heard"
        client.unsubscribe("1")
        client.send(f"/topic/{name}", "not heard")
        client.nothing_comes()
