"""OpenWire peers that mean no good."""

import struct
from collections.abc import Callable, Iterator

import pytest

from keepmq_testing import openwire_peer as openwire
from keepmq_testing.broker import Broker
from keepmq_testing.guarded import Guarded, guarded
from keepmq_testing.openwire_peer import OpenWirePeer, Refused, body, frame, queue
from keepmq_testing.wire import Wire
from security.bystander import reason, unharmed

SECURITY = "java.lang.SecurityException"


@pytest.fixture(scope="module")
def people() -> Iterator[Guarded]:
    """A broker whose people have different rights."""
    broker = Broker(plain=True)
    try:
        yield guarded(broker)
    finally:
        broker.dispose()


@pytest.mark.parametrize("claim", [-1, 0x7FFFFFFF, 16 * 1024 + 1], ids=["negative", "two gigabytes", "just too long"])
def test_a_length_before_the_login_costs_nothing(broker: Broker, claim: int) -> None:
    with unharmed(broker, 8):
        for _ in range(40):
            wire = Wire.open(broker, "openwire", tls=False)
            wire.send(struct.pack(">i", claim) + b"\1ActiveMQ")
            assert wire.wait_closed() == b""
    reason(broker, "negative length" if claim < 0 else "longer than the limit")


def test_a_length_after_the_login_costs_nothing(broker: Broker) -> None:
    with unharmed(broker, 8):
        for _ in range(10):
            with OpenWirePeer.login(broker, tls=False) as peer:
                peer.wire.send(struct.pack(">i", 0x7FFFFFFF) + b"\x1c")
                peer.wire.wait_closed()
    reason(broker, "longer than the limit")


def test_lengths_inside_of_a_frame_stay_inside(broker: Broker) -> None:
    """A content of two gigabytes, an array of 32,767, a text that is cut."""
    whole = body("ActiveMQBytesMessage", {"content": b"x", "commandId": 1})
    # Further back nothing is missing: the last fields are plain numbers.
    for place in range(1, len(whole) - 20):
        broken = whole[:place] + b"\x7f\xff\xff\xff"
        with OpenWirePeer.login(broker, tls=False) as peer:
            peer.wire.send(frame(broken))
            peer.wire.wait_closed()


def test_nothing_is_said_before_the_login(broker: Broker) -> None:
    commands = {
        "ActiveMQBytesMessage": {"destination": queue("early"), "content": b"x"},
        "ConsumerInfo": {"destination": queue("early")},
        "SessionInfo": {},
        "TransactionInfo": {"type": 5},
        "RemoveSubscriptionInfo": {"subscriptionName": "x"},
    }
    for name, fields in commands.items():
        with OpenWirePeer.open(broker, tls=False) as peer:
            with pytest.raises(Refused) as refused:
                peer.ask(name, **fields)
            assert refused.value.kind == SECURITY
            peer.wire.wait_closed()


def test_who_is_not_openwire_is_not_answered(broker: Broker) -> None:
    for said in (b"GET / HTTP/1.1\r\n\r\n", b"CONNECT\n\n\0", frame(body("WireFormatInfo", {"magic": b"Activemq"}))):
        wire = Wire.open(broker, "openwire", tls=False)
        wire.send(said)
        assert b"KeepMQ" not in wire.wait_closed().replace(b"ProviderName\t\x00\x06KeepMQ", b"")


def test_a_wrong_password_is_told_in_the_same_words_as_an_unknown_user(broker: Broker) -> None:
    told = set()
    for name in (broker.admin.name, "nobody"):
        with OpenWirePeer.open(broker, tls=False) as peer, pytest.raises(Refused) as refused:
            connection = {"@type": "ConnectionId", "value": peer.name}
            peer.ask("ConnectionInfo", connectionId=connection, clientId="c", userName=name, password="wrong")
        assert refused.value.kind == SECURITY
        told.add(refused.value.text.replace(name, "").split(" (decision")[0])
    assert len(told) == 1


def test_a_temporary_queue_of_another_connection_is_not_read(broker: Broker) -> None:
    with OpenWirePeer.login(broker, tls=False) as owner, OpenWirePeer.login(broker, tls=False) as thief:
        mine = {"@type": "ActiveMQTempQueue", "physicalName": f"{owner.name}:1"}
        connection = {"@type": "ConnectionId", "value": owner.name}
        owner.ask("DestinationInfo", connectionId=connection, destination=mine)
        with pytest.raises(Refused):
            thief.subscribe(mine)
        with pytest.raises(Refused):
            thief.ask("DestinationInfo", connectionId=connection, destination=mine, operationType=1)
        with pytest.raises(Refused):
            thief.ask("DestinationInfo", destination=mine | {"physicalName": f"{owner.name}:2"})


def test_an_acknowledgement_can_not_name_what_others_hold(broker: Broker) -> None:
    with OpenWirePeer.login(broker, tls=False) as holder, OpenWirePeer.login(broker, tls=False) as thief:
        holder.publish(queue("held"), b"x")
        holder.subscribe(queue("held"))
        held = holder.delivery()
        thief.subscribe(queue("held"))
        thief.acknowledge(held)
        thief.expect("Response")
        holder.wire.close()
        assert thief.delivery()["message"]["content"] == b"x"


def test_rights_are_those_of_the_map_and_denials_have_a_number(people: Guarded) -> None:
    with OpenWirePeer.login(people.broker, people.guest, tls=False) as guest:
        with pytest.raises(Refused) as refused:
            guest.publish(queue("ORDERS.x"), b"x")
        assert refused.value.kind == SECURITY
        decision = refused.value.text.partition("(decision ")[2].rstrip(")")
        record = people.broker.explain(decision)
        assert record["user"] == "guest" and "ORDERS.x" in str(record)
        with pytest.raises(Refused):
            guest.subscribe(queue("ORDERS.x"))
        with pytest.raises(Refused):
            guest.subscribe(openwire.topic(">"))


def test_a_client_id_is_taken_over_by_the_same_user_only(people: Guarded) -> None:
    with OpenWirePeer.login(people.broker, people.shop, tls=False, client_id="mine"):
        with OpenWirePeer.open(people.broker, tls=False) as thief, pytest.raises(Refused) as refused:
            thief.ask(
                "ConnectionInfo",
                connectionId={"@type": "ConnectionId", "value": thief.name},
                clientId="mine",
                userName=people.guest.name,
                password=people.guest.password,
                failoverReconnect=True,
            )
        assert refused.value.kind == "javax.jms.InvalidClientIDException"


def test_a_transaction_without_end_is_bounded(make_broker: Callable[..., Broker]) -> None:
    broker = make_broker(plain=True).quickstart()
    with unharmed(broker, 120), OpenWirePeer.login(broker, tls=False) as peer:
        tx = peer.transaction(1)
        peer.transact(openwire.BEGIN, tx)
        with pytest.raises(Refused) as refused:
            for _ in range(200):
                peer.publish(queue("endless"), b"x" * 1_000_000, tx=tx)
        assert "too large" in refused.value.text
