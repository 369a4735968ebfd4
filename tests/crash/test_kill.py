"""The broker is killed at random moments, again and again, under load. `KEEPMQ_CRASH_ROUNDS` and `KEEPMQ_CRASH_SEED`
choose how often and which moments."""

import os
import random
import time
from collections.abc import Iterable

import pytest

from crash.actors import (
    Actor,
    ExactPublisher,
    MqttPublisher,
    MqttSession,
    OpenWireBranches,
    OpenWireConsumer,
    OpenWirePublisher,
    OpenWireResender,
    OpenWireTransactions,
    RetainedPublisher,
    StompConsumer,
    StompPublisher,
    StompTransactions,
    Transactions,
)
from crash.ledger import AtLeastOnceReceiver, ConfirmedReceiver, ExactlyOnceReceiver, Ledger, Receiver
from keepmq_testing.broker import Broker, User
from keepmq_testing.stomp_peer import StompPeer
from keepmq_testing.waiting import eventually

ROUNDS = int(os.environ.get("KEEPMQ_CRASH_ROUNDS", "80"))
LONGEST_LOAD = 0.8


class Theatre:
    """All publishers and receivers of one broker."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        queue, pairs = Ledger("queue"), Ledger("transactions")
        once, exact = Ledger("once"), Ledger("exact")
        self.ledgers = [queue, pairs, once, exact]
        taken = ConfirmedReceiver(queue, "consumers of the queue")
        self.paired = ConfirmedReceiver(pairs, "consumer of transactions")
        durable = ConfirmedReceiver(once, "durable subscription")
        session = AtLeastOnceReceiver(once, "session, quality of service 1")
        self.exact = ExactlyOnceReceiver(exact, "session, quality of service 2")
        self.receivers: list[Receiver] = [taken, self.paired, durable, session, self.exact]
        self.audience: list[Actor] = [
            StompConsumer(broker, "consumer-1", "/queue/crash", taken),
            StompConsumer(broker, "consumer-2", "/queue/crash", taken),
            StompConsumer(broker, "consumer-3", "/queue/crash.tx", self.paired),
            OpenWireConsumer(broker, "consumer-4", "crash", taken),
            StompConsumer(broker, "durable", "/topic/crash.once", durable, client_id="crash-durable"),
            MqttSession(broker, "session", {"crash/once": session, "crash/exact": self.exact}),
        ]
        self.branches = OpenWireBranches(broker, "xa", "/queue/crash.tx", pairs)
        self.transactions: list[Transactions] = [
            StompTransactions(broker, "tx", "/queue/crash.tx", pairs),
            OpenWireTransactions(broker, "owtx", "/queue/crash.tx", pairs),
            self.branches,
        ]
        self.exact_publisher = ExactPublisher(broker, "exact", "crash/exact", exact)
        self.retained = RetainedPublisher(broker, "retained")
        self.publishers: list[Actor] = [
            *(StompPublisher(broker, f"stomp-{n}", "/queue/crash", queue, 40 * n * n) for n in (1, 2, 9)),
            *(OpenWirePublisher(broker, f"openwire-{n}", "crash", queue, 40 * n * n) for n in (1, 2, 9)),
            OpenWireResender(broker, "resender", "crash", queue),
            *(MqttPublisher(broker, f"mqtt-{n}", "crash/once", once, 40 * n * n) for n in (1, 2, 9)),
            *self.transactions,
            self.exact_publisher,
            self.retained,
        ]

    def open(self) -> None:
        """The broker has started: everything that is owed comes."""
        for ledger in self.ledgers:
            ledger.next_round()
        start(self.audience)
        for receiver in self.receivers:
            what = f"{receiver.name}: all that was confirmed"
            eventually(lambda r=receiver: r.broken or r.is_complete() or self.failed(), what)
            receiver.check()
            assert receiver.is_complete(), f"{what} came not: {self.failed()}"
        self.retained.check()

    def failed(self) -> list[Actor]:
        """Those with an error of their own."""
        return [actor for actor in self.audience + self.publishers if actor.error is not None]

    def close(self, actors: Iterable[Actor]) -> None:
        """The broker is gone."""
        for actor in actors:
            actor.join()
        for receiver in self.receivers:
            receiver.check()


def start(actors: Iterable[Actor]) -> None:
    """Connects everybody."""
    for actor in actors:
        actor.start()
    for actor in actors:
        assert actor.ready.wait(30), f"{actor.name} can't connect"


def verify(broker: Broker) -> None:
    """What a crash left is as it should be."""
    for what in ("journal", "audit"):
        done = broker.command(what, "verify")
        assert done.returncode == 0, f"keepmq {what} verify: {done.stdout}{done.stderr}"


@pytest.mark.timeout(max(300, 6 * ROUNDS))
def test_nothing_that_was_acknowledged_is_lost_or_doubled(stopped_broker: Broker) -> None:
    seed = int(os.environ.get("KEEPMQ_CRASH_SEED", str(random.randrange(1_000_000))))
    print(f"KEEPMQ_CRASH_SEED={seed}")
    chance = random.Random(seed)
    broker, theatre = stopped_broker, Theatre(stopped_broker)
    witness = broker.add_user("witness", "admins")
    for _ in range(ROUNDS):
        die_while_starting(broker, chance)
        broker.start()
        theatre.open()
        start(theatre.publishers)
        time.sleep(chance.uniform(0, LONGEST_LOAD))
        broker.kill()
        theatre.close(theatre.audience + theatre.publishers)
        verify(broker)
    wind_up(broker, theatre, witness)
    sent = {ledger.name: len(ledger.sent) for ledger in theatre.ledgers}
    print(f"{ROUNDS} rounds, sent {sent}, {theatre.branches.in_doubt} transactions in doubt")
    assert all(count > ROUNDS for count in sent.values()), sent


def die_while_starting(broker: Broker, chance: random.Random) -> None:
    """Now and then the broker is killed before it is ready, too."""
    while chance.random() < 0.2:
        broker.launch("serve")
        time.sleep(chance.uniform(0, 0.2))
        broker.kill()


def wind_up(broker: Broker, theatre: Theatre, witness: User) -> None:
    """The last life is ended in order, and everything adds up."""
    broker.start()
    with StompPeer.login(broker, witness):
        pass
    theatre.open()
    theatre.exact_publisher.is_winding_up = True
    start([theatre.exact_publisher])
    theatre.exact_publisher.join()
    eventually(theatre.exact.is_complete, "everything of quality of service 2")
    unsent = set(theatre.exact.ledger.sent) - set(theatre.exact.deliveries)
    assert not unsent, f"what was published in the end never came: {sorted(unsent)[:5]}"
    assert [torn for one in theatre.transactions for torn in one.torn(theatre.paired)] == []
    assert broker.stop() == 0
    theatre.close(theatre.audience)
    verify(broker)
