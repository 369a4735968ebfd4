"""Port offsets, each held by one broker at a time, whatever else runs on this machine."""

import fcntl
import itertools
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import IO

STOMP, STOMP_PLAIN, MQTT, MQTT_PLAIN, OPENWIRE, OPENWIRE_PLAIN = 61614, 61613, 8883, 1883, 61617, 61616
# The highest port, OpenWire's with TLS, stays below 65536. Steps, since the ports with and without TLS are neighbours.
OFFSETS = range(100, 65530 - OPENWIRE, 10)


class Offset:
    """A port offset whose ports are free, and which no other test takes until it is given back. A preferred one, or any."""

    def __init__(self, *preferred: int) -> None:
        folder = Path(tempfile.gettempdir()) / f"keepmq-test-offsets-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        for number in [*preferred, *random.sample(OFFSETS, len(OFFSETS))]:
            lock = _lock(folder / str(number))
            if lock is None:
                continue
            if all(_is_free(base + number) for base in (STOMP, STOMP_PLAIN, MQTT, MQTT_PLAIN, OPENWIRE, OPENWIRE_PLAIN)):
                self.number, self._held = number, lock
                return
            lock.close()
        raise RuntimeError("no port offset is free")

    def give_back(self) -> None:
        """Lets others have it."""
        self._held.close()


def free_port() -> int:
    """A port that nothing listens on and that no connection of this machine is likely to take."""
    return next(port for port in itertools.islice(iter(_random_port, 0), 1000) if _is_free(port))


def _random_port() -> int:
    return random.randrange(20_000, 30_000)


def _lock(path: Path) -> IO[str] | None:
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
