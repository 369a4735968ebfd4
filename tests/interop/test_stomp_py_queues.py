"""stomp.py: acknowledgements, redelivery, dead letters, prefetch, priorities, expiry, browsing, temporary queues."""

import time
from collections.abc import Iterator

import pytest

from interop.stomp_client import StompClient, stomp_client
from keepmq_testing.broker import Broker

DLQ = "/queue/ActiveMQ.DLQ"


@pytest.fixture
def client(broker: Broker) -> Iterator[StompClient]:
    """A client that is logged in."""
    with stomp_client(broker) as one:
        yield one


def bodies(client: StompClient, count: int) -> list[str]:
    """The bodies of the next messages."""
    return [client.message().body for _ in range(count)]


def test_with_auto_a_message_is_taken_when_it_is_sent(broker: Broker, client: StompClient, name: str) -> None:
    client.send(f"/queue/{name}", "one")
    client.subscribe(f"/queue/{name}", ack="auto")
    assert client.message().body == "one"
    client.disconnect()
    with stomp_client(broker) as other:
        other.subscribe(f"/queue/{name}")
        other.nothing_comes()


def test_with_client_an_acknowledgement_covers_all_before_it(
    broker: Broker, client: StompClient, name: str
) -> None:
    for number in range(5):
        client.send(f"/queue/{name}", str(number))
    client.subscribe(f"/queue/{name}", ack="client")
    messages = [client.message() for _ in range(5)]
    client.ack(messages[2])
    client.disconnect()
    with stomp_client(broker) as other:
        other.subscribe(f"/queue/{name}")
        assert bodies(other, 2) == ["3", "4"]
        other.nothing_comes()


def test_with_client_individual_an_acknowledgement_covers_one(
    broker: Broker, client: StompClient, name: str
) -> None:
    for number in range(5):
        client.send(f"/queue/{name}", str(number))
    client.subscribe(f"/queue/{name}", ack="client-individual")
    messages = [client.message() for _ in range(5)]
    client.ack(messages[2])
    client.ack(messages[4])
    client.disconnect()
    with stomp_client(broker) as other:
        other.subscribe(f"/queue/{name}")
        assert bodies(other, 3) == ["0", "1", "3"]
        other.nothing_comes()


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_unacknowledged_messages_come_again_and_say_so(broker: Broker, name: str, version: str) -> None:
    with stomp_client(broker, version) as first:
        first.send(f"/queue/{name}", "again")
        first.subscribe(f"/queue/{name}", ack="client")
        message = first.message()
        assert "redelivered" not in message.headers or message.headers["redelivered"] == "false"
    with stomp_client(broker, version) as second:
        second.subscribe(f"/queue/{name}", ack="client")
        message = second.message()
        assert message.body == "again"
        assert message.headers["redelivered"] == "true"
        second.ack(message)
        second.disconnect()
    with stomp_client(broker, version) as third:
        third.subscribe(f"/queue/{name}")
        third.nothing_comes()


def test_a_nack_brings_the_message_again_with_its_count(client: StompClient, name: str) -> None:
    client.send(f"/queue/{name}", "again")
    client.subscribe(f"/queue/{name}", ack="client-individual")
    client.nack(client.message())
    for count in (1, 2):
        message = client.message()
        assert message.headers["redelivered"] == "true"
        assert message.headers["redelivery-count"] == str(count)
        client.nack(message)
    client.ack(client.message())


def test_what_fails_too_often_is_put_aside(client: StompClient, name: str) -> None:
    client.send(f"/queue/{name}", f"bad {name}", mark="kept")
    client.subscribe(f"/queue/{name}", ack="client-individual")
    for _ in range(7):
        client.nack(client.message())
    client.subscribe(DLQ, id="dlq", ack="client-individual")
    letter = client.message()
    while letter.body != f"bad {name}":
        letter = client.message()
    assert letter.headers["original-destination"] == f"/queue/{name}"
    assert letter.headers["dlqDeliveryFailureCause"]
    assert letter.headers["mark"] == "kept"
    client.ack(letter)


def test_a_nack_without_requeue_puts_the_message_aside_at_once(client: StompClient, name: str) -> None:
    client.send(f"/queue/{name}", f"bad {name}")
    client.subscribe(f"/queue/{name}", ack="client-individual")
    client.nack(client.message(), requeue="false")
    client.nothing_comes()
    client.subscribe(DLQ, id="dlq", ack="client-individual")
    letter = client.message()
    while letter.body != f"bad {name}":
        letter = client.message()
    client.ack(letter)


def test_an_acknowledgement_of_nothing_is_refused(client: StompClient, name: str) -> None:
    client.connection.ack("no such message")
    assert "not found" in client.error().headers["message"]


def test_expired_messages_go_to_the_dead_letters(client: StompClient, name: str) -> None:
    soon = int(time.time() * 1000) + 300
    client.send(f"/queue/{name}", f"late {name}", expires=str(soon))
    client.send(f"/queue/{name}", "in time")
    while time.time() * 1000 < soon + 100:
        time.sleep(0.05)
    client.subscribe(f"/queue/{name}", ack="client-individual")
    assert client.message().body == "in time"
    client.nothing_comes()
    client.subscribe(DLQ, id="dlq", ack="client-individual")
    letter = client.message()
    while letter.body != f"late {name}":
        letter = client.message()
    assert letter.headers["original-destination"] == f"/queue/{name}"
    client.ack(letter)


def test_higher_priorities_come_first(client: StompClient, name: str) -> None:
    for priority in (4, 0, 9, 5, 9):
        client.send(f"/queue/{name}", f"p{priority}", priority=str(priority))
    client.subscribe(f"/queue/{name}")
    assert bodies(client, 5) == ["p9", "p9", "p5", "p4", "p0"]


def test_prefetch_bounds_what_is_under_way(client: StompClient, name: str) -> None:
    for number in range(5):
        client.send(f"/queue/{name}", str(number))
    client.subscribe(f"/queue/{name}", ack="client-individual", **{"activemq.prefetchSize": "2"})
    first, second = client.message(), client.message()
    client.nothing_comes()
    client.ack(first)
    assert client.message().body == "2"
    client.nothing_comes()
    client.ack(second)
    assert client.message().body == "3"


def test_consumers_share_a_queue(broker: Broker, client: StompClient, name: str) -> None:
    with stomp_client(broker) as other:
        for one in (client, other):
            one.subscribe(f"/queue/{name}", ack="client-individual", **{"activemq.prefetchSize": "1"})
        for number in range(10):
            client.send(f"/queue/{name}", str(number))
        seen: list[str] = []
        while len(seen) < 10:
            for one in (client, other):
                if not one.ears.messages.empty() or len(seen) == 9:
                    if one.ears.messages.empty():
                        continue
                    message = one.message()
                    seen.append(message.body)
                    one.ack(message)
        assert sorted(seen) == [str(number) for number in range(10)]


def test_a_message_group_stays_with_one_consumer(broker: Broker, client: StompClient, name: str) -> None:
    with stomp_client(broker) as one, stomp_client(broker) as two:
        for consumer in (one, two):
            consumer.subscribe(f"/queue/{name}", ack="client-individual")
        for number in range(6):
            client.send(f"/queue/{name}", str(number), JMSXGroupID="ab"[number % 2])
        assert sorted([bodies(one, 3), bodies(two, 3)]) == [["0", "2", "4"], ["1", "3", "5"]]


def test_a_browser_sees_all_and_takes_nothing(client: StompClient, name: str) -> None:
    for number in range(3):
        client.send(f"/queue/{name}", str(number))
    client.subscribe(f"/queue/{name}", id="look", browser="true")
    assert bodies(client, 3) == ["0", "1", "2"]
    assert client.message().headers["browser"] == "end"
    client.unsubscribe("look")
    client.subscribe(f"/queue/{name}", id="take")
    assert bodies(client, 3) == ["0", "1", "2"]


def test_request_and_reply_over_a_temporary_queue(broker: Broker, client: StompClient, name: str) -> None:
    with stomp_client(broker) as server:
        server.subscribe(f"/queue/{name}")
        client.subscribe("/temp-queue/replies", id="replies")
        client.send(f"/queue/{name}", "2+2", **{"reply-to": "/temp-queue/replies", "correlation-id": "7"})
        request = server.message()
        assert request.headers["reply-to"].startswith("/remote-temp-queue/")
        server.send(request.headers["reply-to"], "4", **{"correlation-id": request.headers["correlation-id"]})
        reply = client.message()
        assert (reply.body, reply.headers["correlation-id"]) == ("4", "7")


def test_a_composite_send_reaches_every_part(client: StompClient, name: str) -> None:
    client.subscribe(f"/topic/{name}", id="topic")
    client.send(f"/queue/{name}-a,/queue/{name}-b,/topic/{name}", "all")
    assert client.message().headers["destination"] == f"/topic/{name}"
    for part in "ab":
        client.subscribe(f"/queue/{name}-{part}", id=part)
        message = client.message()
        assert (message.body, message.headers["destination"]) == ("all", f"/queue/{name}-{part}")


def test_wildcards_match_segments_of_queues(client: StompClient, name: str) -> None:
    client.subscribe(f"/queue/{name}.*.new", id="one")
    client.send(f"/queue/{name}.eu.new", "1")
    client.send(f"/queue/{name}.eu.old", "2")
    client.send(f"/queue/{name}.eu.x.new", "3")
    message = client.message()
    assert (message.body, message.headers["destination"]) == ("1", f"/queue/{name}.eu.new")
    client.nothing_comes()


def test_persistent_messages_survive_a_restart_and_others_do_not(own_broker: Broker, name: str) -> None:
    with stomp_client(own_broker) as client:
        client.send(f"/queue/{name}", "kept", mark="m")
        client.send(f"/queue/{name}", "lost", persistent="false")
    own_broker.restart()
    with stomp_client(own_broker) as client:
        client.subscribe(f"/queue/{name}")
        message = client.message()
        assert (message.body, message.headers["mark"]) == ("kept", "m")
        client.nothing_comes()
