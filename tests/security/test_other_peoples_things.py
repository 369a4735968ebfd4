"""Temporary queues, client ids and subscriptions belong to somebody."""

import re
from collections.abc import Iterator

import pytest

from keepmq_testing.broker import Broker
from keepmq_testing.guarded import Guarded, guarded
from keepmq_testing.mqtt_peer import BAD_ID, MqttPeer, Refused
from keepmq_testing.stomp_peer import StompError, StompPeer


@pytest.fixture(scope="module")
def world() -> Iterator[Guarded]:
    """The broker of this file, and its users."""
    broker = Broker(plain=True)
    try:
        yield guarded(broker)
    finally:
        broker.dispose()


def temporary_queue(world: Guarded, owner: StompPeer) -> str:
    """Has one made and returns the name by which others know it."""
    owner.subscribe("/temp-queue/mine", id="temp")
    with StompPeer.login(world.broker, world.billing) as server:
        server.subscribe("/queue/SHARED.requests")
        owner.publish("/queue/SHARED.requests", b"?", reply_to="/temp-queue/mine")
        return server.message()["reply-to"]


def test_names_of_temporary_queues_can_not_be_guessed(world: Guarded) -> None:
    with StompPeer.login(world.broker, world.shop) as one, StompPeer.login(world.broker, world.shop) as two:
        names = [temporary_queue(world, one), temporary_queue(world, two)]
    parts = [re.findall(r"[0-9a-zA-Z]{16,}", name) for name in names]
    assert all(parts), f"too little chance in {names}"
    assert max(map(len, parts[0])) >= 24, f"under 96 bits: {names}"
    assert set(parts[0]).isdisjoint(parts[1])


@pytest.mark.parametrize("command", ["SUBSCRIBE", "browse"])
@pytest.mark.parametrize("thief", ["billing", "shop", "admin"])
def test_a_temporary_queue_is_read_by_its_owner_only(world: Guarded, thief: str, command: str) -> None:
    """Not even by another connection of the same user, or by an administrator."""
    users = {"billing": world.billing, "shop": world.shop, "admin": world.broker.admin}
    with StompPeer.login(world.broker, world.shop) as owner:
        name = temporary_queue(world, owner)
        with StompPeer.login(world.broker, users[thief]) as peer:
            browser = {"browser": "true"} if command == "browse" else {}
            peer.send("SUBSCRIBE", {"destination": name, "id": "1", "ack": "auto", **browser})
            peer.refused()
        with StompPeer.login(world.broker, world.billing) as server:
            server.publish(name, b"the reply")
        assert owner.message(subscription="temp").body == b"the reply"


def test_a_temporary_queue_is_gone_with_its_owner(world: Guarded) -> None:
    with StompPeer.login(world.broker, world.shop) as owner:
        name = temporary_queue(world, owner)
        owner.disconnect()
    for command in ("SEND", "SUBSCRIBE"):
        with StompPeer.login(world.broker, world.shop) as peer:
            peer.send(command, {"destination": name, "id": "1"})
            assert "not found" in peer.refused()["message"]


def test_a_client_id_of_mqtt_is_not_taken_over_by_another_user(world: Guarded) -> None:
    with MqttPeer.login(world.broker, world.shop, client_id="shops") as owner:
        with pytest.raises(Refused) as refused:
            MqttPeer.login(world.broker, world.billing, client_id="shops")
        assert refused.value.code == BAD_ID
        owner.ping()


@pytest.mark.parametrize("clean", [True, False])
def test_a_session_of_mqtt_is_not_taken_or_removed_by_another_user(world: Guarded, clean: bool) -> None:
    client_id = f"billings-{clean}"
    with MqttPeer.login(world.broker, world.billing, client_id=client_id, clean=False) as owner:
        owner.subscribe("news/session")
    with MqttPeer.login(world.broker, world.shop) as shop:
        shop.publish("news/session", b"for billing")
    try:
        with MqttPeer.login(world.broker, world.shop, client_id=client_id, clean=clean) as thief:
            assert not thief.session_present
            thief.nothing_comes()
    except Refused:
        pass
    with MqttPeer.login(world.broker, world.billing, client_id=client_id, clean=False) as owner:
        assert owner.session_present
        assert owner.message().body == b"for billing"


def test_a_durable_subscription_of_stomp_is_not_taken_by_another_user(world: Guarded) -> None:
    with StompPeer.login(world.broker, world.billing, client_id="billing-d") as owner:
        owner.subscribe("/topic/news.durable", activemq_subscriptionName="d")
    with StompPeer.login(world.broker, world.shop) as shop:
        shop.publish("/topic/news.durable", b"for billing")
    for command in ("SUBSCRIBE", "UNSUBSCRIBE"):
        with pytest.raises(StompError):
            with StompPeer.login(world.broker, world.shop, client_id="billing-d") as thief:
                headers = {"id": "1", "activemq.subscriptionName": "d", "destination": "/topic/news.durable"}
                thief.do(command, headers)
    with StompPeer.login(world.broker, world.billing, client_id="billing-d") as owner:
        owner.subscribe("/topic/news.durable", activemq_subscriptionName="d")
        assert owner.message().body == b"for billing"


def test_a_client_id_is_held_against_the_other_protocol_too(world: Guarded) -> None:
    with MqttPeer.login(world.broker, world.billing, client_id="both") as owner:
        with pytest.raises(StompError, match="in conflict"):
            StompPeer.login(world.broker, world.shop, client_id="both")
        owner.ping()


def test_an_acknowledgement_of_anothers_message_is_refused(world: Guarded) -> None:
    with StompPeer.login(world.broker, world.shop) as owner, StompPeer.login(world.broker, world.billing) as peer:
        owner.subscribe("/queue/SHARED.acks", ack="client-individual")
        owner.publish("/queue/SHARED.acks", b"x")
        message = owner.message()
        with pytest.raises(StompError, match="not found"):
            peer.ack(message)
        owner.ack(message)


def test_a_transaction_belongs_to_its_connection(world: Guarded) -> None:
    with StompPeer.login(world.broker, world.shop) as owner, StompPeer.login(world.broker, world.shop) as peer:
        owner.do("BEGIN", {"transaction": "t"})
        with pytest.raises(StompError):
            peer.do("COMMIT", {"transaction": "t"})
        owner.do("COMMIT", {"transaction": "t"})


def test_a_user_without_the_right_may_make_no_dead_letters_elsewhere(world: Guarded) -> None:
    """The dead letter queue is nobody's but the broker's and the administrators'."""
    with StompPeer.login(world.broker, world.shop) as peer:
        peer.send("SEND", {"destination": "/queue/ActiveMQ.DLQ"}, b"x")
        assert "not authorized to write to: queue://ActiveMQ.DLQ" in peer.refused()["message"]
