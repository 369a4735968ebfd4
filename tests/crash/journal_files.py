"""The journal's files, as somebody sees them who has only the disk."""

import re
from dataclasses import dataclass
from pathlib import Path

from keepmq_testing.broker import Broker
from keepmq_testing.stomp_peer import StompPeer

QUEUE = "/queue/damaged"
# A segment that is kept ready for later holds nothing but its head.
HEAD = 4224


@dataclass(frozen=True)
class End:
    """How far a segment was written at some moment."""

    segment: str
    offset: int


def segments(broker: Broker) -> list[Path]:
    """The segments, oldest first."""
    return sorted((broker.dir / "store").glob("segment-*.log"))


def used(path: Path) -> int:
    """Where the zeros begin that a file ends with."""
    return len(path.read_bytes().rstrip(b"\0"))


def end(broker: Broker) -> End:
    """The end of what is written."""
    newest = [path for path in segments(broker) if used(path) > HEAD][-1]
    return End(newest.name, used(newest))


def publish_and_note_ends(broker: Broker, count: int, size: int) -> dict[str, End]:
    """Publishes one message after the other, each confirmed before the next; tells where the journal ended then."""
    ends: dict[str, End] = {}
    with StompPeer.login(broker, tls=False) as peer:
        for number in range(count):
            peer.publish(QUEUE, str(number).ljust(size, ".").encode())
            ends[str(number)] = end(broker)
    return ends


def drain(broker: Broker) -> list[str]:
    """Takes everything out of the queue."""
    done = broker.command("receive", QUEUE, "--all", "--wait", "2")
    assert done.returncode == 0, done.stderr
    return [line.rstrip(".") for line in done.stdout.splitlines()]


def reported_places(text: str) -> list[End]:
    """The places in segments that `keepmq journal verify` tells."""
    return [End(Path(path).name, int(at)) for path, at in re.findall(r"^(\S+\.log) at byte (\d+):", text, re.M)]
