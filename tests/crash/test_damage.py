"""A journal whose end is missing, and one that is damaged in the middle."""

import os
import random
import re
from pathlib import Path

import pytest

from crash.journal_files import QUEUE, End, drain, end, publish_and_note_ends, reported_places, segments
from keepmq_testing.broker import Broker
from keepmq_testing.mqtt_peer import MqttPeer
from keepmq_testing.stomp_peer import StompPeer

MESSAGES = 40


def cut(path: Path, offset: int) -> None:
    """As if what comes after had never been written."""
    os.truncate(path, offset)


def blank(path: Path, offset: int) -> None:
    """As if the disk had lost what comes after, and kept the room."""
    length = path.stat().st_size
    os.truncate(path, offset)
    os.truncate(path, length)


def scramble(path: Path, offset: int) -> None:
    """As if a last block had been written that never was."""
    data = bytearray(path.read_bytes())
    data[offset : offset + 512] = random.Random(1).randbytes(512)
    path.write_bytes(data)


@pytest.mark.parametrize("back", [1, 40, 100, 700, 5000], ids=lambda back: f"{back} bytes")
@pytest.mark.parametrize("damage", [cut, blank])
def test_a_torn_tail_loses_nothing_before_it(stopped_broker: Broker, damage: object, back: int) -> None:
    assert callable(damage)
    broker = stopped_broker.start()
    ends = publish_and_note_ends(broker, MESSAGES, 300)
    broker.kill()
    last = end(broker)
    place = last.offset - back
    damage(broker.dir / "store" / last.segment, place)
    broker.start()
    left = drain(broker)
    kept = [name for name, at in ends.items() if at.segment < last.segment or at.offset <= place]
    assert left[: len(kept)] == kept, f"lost before the cut: {sorted(set(kept) - set(left))}"
    assert left == list(ends)[: len(left)], "what is left is not the beginning of what was sent"
    assert broker.stop() == 0
    done = broker.command("journal", "verify")
    assert done.returncode == 0, done.stdout


def test_a_block_of_garbage_at_the_end_loses_nothing(stopped_broker: Broker) -> None:
    broker = stopped_broker.start()
    ends = publish_and_note_ends(broker, MESSAGES, 300)
    broker.kill()
    last = end(broker)
    scramble(broker.dir / "store" / last.segment, (last.offset + 8) // 8 * 8)
    broker.start()
    assert drain(broker) == list(ends)


@pytest.mark.parametrize("damage", [cut, blank])
def test_a_torn_segment_that_was_only_made_ready_loses_nothing(stopped_broker: Broker, damage: object) -> None:
    assert callable(damage)
    broker = stopped_broker.start()
    ends = publish_and_note_ends(broker, MESSAGES, 300)
    broker.kill()
    newest = segments(broker)[-1]
    assert newest.name > end(broker).segment
    damage(newest, 1000)
    broker.start()
    assert drain(broker) == list(ends)


def fill_segments(broker: Broker) -> list[str]:
    """Publishes some megabytes, a message at a time."""
    names = [str(number) for number in range(600)]
    with StompPeer.login(broker, tls=False) as peer:
        for name in names:
            peer.publish(QUEUE, name.ljust(8000, ".").encode())
    return names


def flip_in_the_middle(broker: Broker) -> End:
    """Flips a bit in a segment that is neither the first nor the last."""
    path = segments(broker)[2]
    data = bytearray(path.read_bytes())
    offset = len(data.rstrip(b"\0")) // 2
    data[offset] ^= 0x10
    path.write_bytes(data)
    return End(path.name, offset)


def damaged(broker: Broker, how: str) -> tuple[list[str], End]:
    """A broker that ended somehow, and then lost a bit; what it had, and where the bit was."""
    broker.start()
    names = fill_segments(broker)
    with MqttPeer.login(broker, tls=False) as peer:
        peer.publish("damaged/retained", b"kept", retain=True)
    if how == "killed":
        broker.kill()
    else:
        assert broker.stop() == 0
    assert len(segments(broker)) >= 4
    return names, flip_in_the_middle(broker)


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_verify_tells_where_a_bit_was_flipped(stopped_broker: Broker, how: str) -> None:
    _, flipped = damaged(stopped_broker, how)
    done = stopped_broker.command("journal", "verify")
    assert done.returncode == 1, done.stdout
    (place,) = reported_places(done.stdout)
    assert place.segment == flipped.segment
    # The place is where the damaged frame begins, and a frame holds one message here.
    assert flipped.offset - 9000 < place.offset <= flipped.offset


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_flipped_bit_in_a_closed_segment_costs_what_it_hit(stopped_broker: Broker, how: str) -> None:
    names, _ = damaged(stopped_broker, how)
    stopped_broker.start()
    left = drain(stopped_broker)
    lost = set(names) - set(left)
    assert len(lost) == 1, f"lost: {sorted(lost)}"
    assert left == [name for name in names if name not in lost]
    with MqttPeer.login(stopped_broker, tls=False) as peer:
        peer.subscribe("damaged/retained")
        assert peer.message().body == b"kept"
        peer.publish("damaged/more", b"goes on")


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_the_log_tells_where_a_bit_was_flipped(stopped_broker: Broker, how: str) -> None:
    """At the start after a crash, and after an end in order when the place is read."""
    _, flipped = damaged(stopped_broker, how)
    stopped_broker.start()
    drain(stopped_broker)
    log = stopped_broker.log_since_start()
    assert re.search(rf"damaged.*{flipped.segment} at byte \d+", log), log


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_damage_is_reported_as_long_as_it_is_there(stopped_broker: Broker, how: str) -> None:
    _, flipped = damaged(stopped_broker, how)
    stopped_broker.start()
    assert stopped_broker.stop() == 0
    done = stopped_broker.command("journal", "verify")
    assert done.returncode == 1, done.stdout
    assert flipped.segment in done.stdout
