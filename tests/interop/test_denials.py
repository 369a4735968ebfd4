"""What the map does not grant: each client hears it in its protocol's own way, and the decision is found again."""

import re
from collections.abc import Iterator

import pytest

from interop.paho_client import PahoClient, paho_client
from interop.stomp_client import StompClient, stomp_client
from keepmq_testing.broker import Broker
from keepmq_testing.guarded import Guarded, guarded
from keepmq_testing.mqtt_peer import PUBACK, PUBREC, MqttPeer, publish
from keepmq_testing.stomp_peer import StompPeer
from keepmq_testing.wire import Closed

DECISION = re.compile(r"\(decision (D-[0-9a-f]+-[0-9a-f]+)\)")


@pytest.fixture(scope="module")
def world() -> Iterator[Guarded]:
    """The broker of this file, and its users."""
    broker = Broker(plain=True)
    try:
        yield guarded(broker)
    finally:
        broker.dispose()


def denied(client: StompClient) -> tuple[str, str]:
    """The text of the ERROR, and its decision."""
    message = client.error().headers["message"]
    found = DECISION.search(message)
    assert found, message
    return message, found[1]


def test_stomp_hears_that_it_may_not_send(world: Guarded) -> None:
    with stomp_client(world.broker, user=world.billing) as client:
        asked = client.receipt()
        client.connection.send("/queue/ORDERS.eu", "x", headers={"persistent": "true", **asked})
        message, decision = denied(client)
        assert message.startswith("User billing is not authorized to write to: queue://ORDERS.eu")
        assert client.error().headers["receipt-id"] == asked["receipt"]
        assert "keepmq explain" in client.error().body
    record = world.broker.explain(decision)
    assert record["event"] == "denied"
    assert record["user"] == "billing"
    assert record["groups"] == ["billing"]
    assert record["right"] == "write"
    assert record["destination"] == "queue://ORDERS.eu"
    assert record["listener"] == "stomp"
    assert record["peer"].startswith("127.0.0.1:")
    assert "keepmq.toml" in record["rule"]


@pytest.mark.parametrize("extra", [{}, {"browser": "true"}], ids=["subscribe", "browse"])
def test_stomp_hears_that_it_may_not_read(world: Guarded, extra: dict[str, str]) -> None:
    with stomp_client(world.broker, user=world.shop) as client:
        client.connection.subscribe("/queue/ORDERS.eu", id="1", headers=extra)
        message, decision = denied(client)
        assert message.startswith("User shop is not authorized to read from: queue://ORDERS.eu")
    assert world.broker.explain(decision)["right"] == "read"


def test_stomp_hears_that_it_may_not_make_a_destination(world: Guarded) -> None:
    with stomp_client(world.broker, user=world.billing) as client:
        client.connection.subscribe("/topic/teams.new", id="1")
        message, decision = denied(client)
        assert message.startswith("User billing is not authorized to create: topic://teams.new")
    assert world.broker.explain(decision)["right"] == "admin"


def test_stomp_1_0_hears_the_same(world: Guarded) -> None:
    with stomp_client(world.broker, "1.0", user=world.billing) as client:
        client.connection.send("/topic/news.eu", "x")
        message, _ = denied(client)
        assert message.startswith("User billing is not authorized to write to: topic://news.eu")


def test_mqtt_hears_for_each_filter_whether_it_may_read(world: Guarded) -> None:
    with paho_client(world.broker, user=world.billing) as client:
        assert client.subscribe("news/eu", "orders/eu", "news/+") == [1, 0x80, 1]
        record = world.broker.audited("denied", destination="topic://orders.eu")
        assert (record["user"], record["right"], record["listener"]) == ("billing", "read", "mqtt")
        assert world.broker.explain(record["decision"]) == record
        with paho_client(world.broker, user=world.shop) as shop:
            shop.publish("news/eu", "still here")
        assert client.message().payload == b"still here"


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_denied_publish_ends_the_connection_of_mqtt(world: Guarded, qos: int) -> None:
    with MqttPeer.login(world.broker, world.billing) as peer:
        peer.send(publish(f"news/denied{qos}", b"x", qos, 1))
        with pytest.raises(Closed):
            peer.expect(PUBREC if qos == 2 else PUBACK)
        assert peer.held == []
    record = world.broker.audited("denied", destination=f"topic://news.denied{qos}")
    assert (record["user"], record["right"]) == ("billing", "write")
    assert world.broker.explain(record["decision"])["rule"] == record["rule"]


def test_paho_sees_its_connection_end_after_a_denied_publish(world: Guarded) -> None:
    client = PahoClient(world.broker, user=world.billing)
    client.connect()
    client.client.publish("news/eu", "x", 1)
    client.wait_disconnected()
    client.disconnect()


def test_a_denied_publish_is_acknowledged_where_the_listener_says_so(own_broker: Broker) -> None:
    own_broker.stop()
    own_broker.edit(lambda text: text.replace('protocol = "mqtt"\n', 'protocol = "mqtt"\nrefused-publish = "acknowledge"\n'))
    user = own_broker.add_user("nobody", "guests")
    own_broker.start()
    with MqttPeer.login(own_broker) as reader, MqttPeer.login(own_broker, user) as peer:
        reader.subscribe("x")
        peer.publish("x", b"dropped", qos=1)
        peer.publish("x", b"dropped", qos=2)
        peer.ping()
        reader.nothing_comes()
    own_broker.audited("denied", user="nobody", destination="topic://x")


def test_each_part_of_a_composite_name_needs_its_own_right(world: Guarded) -> None:
    with StompPeer.login(world.broker) as admin:
        admin.subscribe("/queue/SHARED.mine")
        with StompPeer.login(world.broker, world.billing) as peer:
            peer.send("SEND", {"destination": "/queue/SHARED.mine,/queue/ORDERS.eu", "receipt": "r"}, b"x")
            error = peer.refused()
            assert "not authorized to write to: queue://ORDERS.eu" in error["message"]
            assert error["receipt-id"] == "r"
        admin.nothing_comes()


@pytest.mark.parametrize("pattern", [">", "*", "*.eu", "teams.a.>"])
def test_a_wildcard_wider_than_the_rights_is_refused(world: Guarded, pattern: str) -> None:
    with StompPeer.login(world.broker, world.billing) as peer:
        peer.send("SUBSCRIBE", {"destination": f"/topic/{pattern}", "id": "1"})
        assert f"not authorized to read from: topic://{pattern}" in peer.refused()["message"]


def test_a_wildcard_brings_only_what_may_be_read(world: Guarded) -> None:
    """As in ActiveMQ `teams.>` is judged as a name, which `teams.*` covers; then each topic by its own name."""
    with (
        StompPeer.login(world.broker, world.billing) as stomp,
        MqttPeer.login(world.broker, world.billing) as mqtt,
        StompPeer.login(world.broker) as admin,
    ):
        stomp.subscribe("/topic/teams.>")
        assert mqtt.subscribe("teams/#") == [1]
        admin.publish("/topic/teams.a.b", b"not for billing")
        admin.publish("/topic/teams.a", b"for billing")
        assert stomp.message().body == b"for billing"
        assert mqtt.message().body == b"for billing"
        mqtt.nothing_comes()
        assert stomp.held == []


def test_a_will_is_judged_when_it_is_published(world: Guarded) -> None:
    with MqttPeer.login(world.broker) as admin:
        admin.subscribe("news/#")
        with MqttPeer.login(world.broker, world.billing, will=("news/will", b"x", 1, False)):
            pass
        record = world.broker.audited("denied", destination="topic://news.will")
        assert (record["user"], record["right"]) == ("billing", "write")
        admin.nothing_comes()


def test_a_denied_message_of_a_transaction_is_in_nobodys_queue(world: Guarded) -> None:
    with StompPeer.login(world.broker) as admin:
        admin.subscribe("/queue/SHARED.tx")
        with StompPeer.login(world.broker, world.billing) as peer:
            peer.send("BEGIN", {"transaction": "t"})
            peer.do("SEND", {"destination": "/queue/SHARED.tx", "transaction": "t"}, b"x")
            peer.send("SEND", {"destination": "/queue/ORDERS.eu", "transaction": "t"}, b"x")
            assert "not authorized to write to: queue://ORDERS.eu" in peer.refused()["message"]
        admin.nothing_comes()


@pytest.mark.parametrize("destination", ["/queue/ORDERS.there", "/queue/ORDERS.missing", "/topic/x", "/queue/ActiveMQ.DLQ"])
@pytest.mark.parametrize("command", ["SEND", "SUBSCRIBE"])
def test_somebody_without_rights_may_nothing(world: Guarded, command: str, destination: str) -> None:
    with StompPeer.login(world.broker, world.shop) as shop:
        shop.publish("/queue/ORDERS.there", b"x")
    with StompPeer.login(world.broker, world.guest) as peer:
        peer.send(command, {"destination": destination, "id": "1"})
        assert "User guest is not authorized to" in peer.refused()["message"]


def test_somebody_without_rights_may_make_no_temporary_queue(world: Guarded) -> None:
    with StompPeer.login(world.broker, world.guest) as peer:
        peer.send("SUBSCRIBE", {"destination": "/temp-queue/mine", "id": "1"})
        assert "User guest is not authorized to" in peer.refused()["message"]


def test_the_status_topics_are_for_those_whom_the_map_lets(world: Guarded) -> None:
    with MqttPeer.login(world.broker, world.billing) as peer:
        assert peer.subscribe("$SYS/#", "$SYS/broker/version", "#") == [0x80, 0x80, 0x80]


def test_whether_a_queue_exists_is_not_told(world: Guarded) -> None:
    def said(queue: str) -> str:
        with StompPeer.login(world.broker, world.guest) as peer:
            peer.send("SEND", {"destination": f"/queue/{queue}"})
            return DECISION.sub("", peer.refused()["message"]).replace(queue, "")

    with StompPeer.login(world.broker, world.shop) as shop:
        shop.publish("/queue/ORDERS.real", b"x")
    assert said("ORDERS.real") == said("ORDERS.none")


def test_explain_foretells_what_the_broker_decides(world: Guarded) -> None:
    yes = world.broker.command("explain", "--user", "shop", "--write", "queue://ORDERS.eu")
    assert yes.returncode == 0 and yes.stdout.startswith("yes:"), yes
    no = world.broker.command("explain", "--user", "billing", "--write", "queue://ORDERS.eu")
    assert no.returncode == 1 and no.stdout.startswith("no:"), no
    assert "keepmq.toml:" in no.stdout


def test_the_audit_log_is_whole(world: Guarded) -> None:
    done = world.broker.command("audit", "verify")
    assert done.returncode == 0, done.stderr
    assert "whole" in done.stdout
