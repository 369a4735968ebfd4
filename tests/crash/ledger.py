"""What publishers were promised and what receivers got, and the rules between the two.

A round is one life of the broker. Messages are known by their names, which their bodies begin with.
"""

import threading
from collections import defaultdict
from dataclasses import dataclass, field


class Violation(AssertionError):
    """The broker broke a promise."""


@dataclass
class Ledger:
    """The messages that were sent to one destination."""

    name: str
    round: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    sent: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    sent_in: dict[str, int] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)
    receivers: list["Receiver"] = field(default_factory=list)

    def sending(self, message: str) -> None:
        """A message is about to be sent, for the first time or again."""
        with self.lock:
            self.sent[message] += 1
            self.sent_in[message] = self.round

    def next_round(self) -> None:
        """The broker lives anew."""
        with self.lock:
            self.round += 1
            for receiver in self.receivers:
                receiver.in_round.clear()

    def confirm(self, message: str) -> None:
        """The broker has said that it has the message."""
        with self.lock:
            self.confirmed.add(message)
            for receiver in self.receivers:
                if not receiver.deliveries[message]:
                    receiver.missing.add(message)


class Receiver:
    """One queue's consumers together, or one subscription."""

    def __init__(self, ledger: Ledger, name: str) -> None:
        self.ledger, self.name = ledger, name
        self.deliveries: dict[str, int] = defaultdict(int)
        self.in_round: dict[str, int] = defaultdict(int)
        self.last_round: dict[str, int] = {}
        self.settled: dict[str, int] = defaultdict(int)
        # Confirmed to the publisher and never seen here.
        self.missing: set[str] = set()
        self.broken: list[str] = []
        ledger.receivers.append(self)

    def may_come_again(self, message: str) -> str:
        """Why the message may not be delivered, which it was before; empty when it may."""
        raise NotImplementedError

    def deliver(self, message: str) -> None:
        """A message came."""
        with self.ledger.lock:
            if message not in self.ledger.sent:
                self.broken.append(f"{message!r} was never sent")
            if self.deliveries[message]:
                why = self.may_come_again(message)
                if why:
                    self.broken.append(f"{message!r} came again: {why}")
            self.deliveries[message] += 1
            self.in_round[message] += 1
            self.last_round[message] = self.ledger.round
            self.missing.discard(message)

    def settle(self, message: str) -> None:
        """The broker has confirmed this receiver's acknowledgement."""
        with self.ledger.lock:
            self.settled[message] += 1

    def check(self) -> None:
        """Fails when a promise is broken."""
        with self.ledger.lock:
            if self.broken:
                raise Violation(f"{self.name}: {len(self.broken)} broken promises: {self.broken[:5]}")

    def is_complete(self) -> bool:
        """Whether everything that was confirmed has come."""
        with self.ledger.lock:
            return not self.missing


class ConfirmedReceiver(Receiver):
    """Its acknowledgements are confirmed by the broker (STOMP's receipts): such a message never comes again, and others
    only in another life of the broker. Of a message that was sent twice this holds for each copy."""

    def may_come_again(self, message: str) -> str:
        copies = self.ledger.sent[message]
        if self.settled[message] >= copies:
            return "its acknowledgement was confirmed"
        if self.in_round[message] >= copies:
            return "its consumer has it"
        return ""


class AtLeastOnceReceiver(Receiver):
    """Its acknowledgements are not confirmed (MQTT's quality of service 1): a message may come again in the broker's next
    life, and as often as it was sent."""

    def may_come_again(self, message: str) -> str:
        if self.in_round[message] >= self.ledger.sent[message]:
            return "it was not sent as often"
        if max(self.last_round[message], self.ledger.sent_in[message]) < self.ledger.round - 1:
            return "it was acknowledged two lives ago"
        return ""


class ExactlyOnceReceiver(Receiver):
    """MQTT's quality of service 2."""

    def may_come_again(self, message: str) -> str:
        return "exactly once was promised"
