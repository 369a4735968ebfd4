"""A broker with a map that gives different people different rights, and these people."""

from dataclasses import dataclass

from keepmq_testing.broker import Broker, User

# Only additions: what the admins may is in the map of quickstart. `teams.*` is one segment, so `teams.a.b` is nobody's.
ENTRIES = """
[[authorization.entry]]
queue = "ORDERS.>"
read = ["billing"]
write = ["shop"]
admin = ["shop", "billing"]

[[authorization.entry]]
topic = "news.>"
read = ["billing"]
write = ["shop"]
admin = ["shop", "billing"]

[[authorization.entry]]
queue = "SHARED.>"
read = ["shop", "billing"]
write = ["shop", "billing"]
admin = ["shop", "billing"]

[[authorization.entry]]
topic = "teams.*"
read = ["billing"]

"""
TEMPORARY = "[authorization.temporary]\n"
GROUPS = {"shop": ("shop",), "billing": ("billing",), "guest": ("guests",)}


@dataclass(frozen=True)
class Guarded:
    """Shop writes orders and news, billing reads them, and the guest may log in and nothing else."""

    broker: Broker
    shop: User
    billing: User
    guest: User


def guarded(broker: Broker, more: str = "") -> Guarded:
    """Makes and starts it."""
    broker.quickstart()
    assert broker.stop() == 0
    broker.edit(lambda text: with_entries(text, ENTRIES + more))
    people = {name: broker.add_user(name, *groups) for name, groups in GROUPS.items()}
    return Guarded(broker.start(), **people)


def with_entries(text: str, entries: str) -> str:
    """A configuration with more entries, in which shop and billing may use temporary destinations."""
    head, temporary = text.split(TEMPORARY, 1)
    return head + entries + TEMPORARY + temporary.replace('["admins"', '["admins", "shop", "billing"')
