"""mosquitto_pub and mosquitto_sub, as Debian has them."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from keepmq_testing.broker import Broker, User
from keepmq_testing.mqtt_peer import MqttPeer
from keepmq_testing.waiting import eventually


def words(broker: Broker, program: str, user: User | None = None, version: str = "mqttv311") -> list[str]:
    """The beginning of a command."""
    who = user or broker.admin
    port = str(broker.port("mqtt"))
    where = ["-h", "localhost", "-p", port, "--cafile", str(broker.ca), "-V", version]
    return [program, *where, "-u", who.name, "-P", who.password]


def mosquitto_pub(
    broker: Broker, *options: str, stdin: bytes = b"", user: User | None = None, version: str = "mqttv311"
) -> subprocess.CompletedProcess[bytes]:
    """Publishes."""
    command = [*words(broker, "mosquitto_pub", user, version), *options]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=30)


class Subscriber:
    """A mosquitto_sub that has the answer to its SUBSCRIBE. It prints each message as `> ...`."""

    def __init__(self, broker: Broker, *options: str) -> None:
        command = ["stdbuf", "-oL", *words(broker, "mosquitto_sub"), "-d", "-W", "30", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._held: list[str] = []
        while "Subscribed" not in (line := self._line()):
            self._held.append(line)

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        assert line, "mosquitto_sub ended"
        return line.rstrip("\n")

    def heard(self, count: int) -> list[str]:
        """The next messages."""
        messages: list[str] = []
        while len(messages) < count:
            line = self._held.pop(0) if self._held else self._line()
            if line.startswith("> "):
                messages.append(line[2:])
        return messages


@contextmanager
def mosquitto_sub(broker: Broker, *options: str) -> Iterator[Subscriber]:
    """Subscribes."""
    subscriber = Subscriber(broker, *options)
    try:
        yield subscriber
    finally:
        subscriber.process.terminate()
        subscriber.process.wait()


@pytest.mark.parametrize("version", ["mqttv31", "mqttv311"])
@pytest.mark.parametrize("qos", ["0", "1", "2"])
def test_what_is_published_is_heard(broker: Broker, name: str, qos: str, version: str) -> None:
    with mosquitto_sub(broker, "-t", f"{name}/#", "-q", qos, "-F", "> %t %q %p") as subscriber:
        done = mosquitto_pub(broker, "-t", f"{name}/a", "-m", "hello", "-q", qos, "-i", name[:20], version=version)
        assert done.returncode == 0, done.stderr
        assert subscriber.heard(1) == [f"{name}/a {qos} hello"]


def test_many_lines_arrive_in_order(broker: Broker, name: str) -> None:
    lines = [str(number) for number in range(500)]
    with mosquitto_sub(broker, "-t", name, "-q", "1", "-F", "> %p") as subscriber:
        done = mosquitto_pub(broker, "-t", name, "-q", "1", "-l", stdin="\n".join(lines).encode())
        assert done.returncode == 0, done.stderr
        assert subscriber.heard(500) == lines


def test_a_file_of_a_megabyte_arrives_whole(broker: Broker, name: str) -> None:
    body = bytes(range(256)) * 4096
    with MqttPeer.login(broker) as peer:
        peer.subscribe(name, qos=2)
        done = mosquitto_pub(broker, "-t", name, "-q", "2", "-s", stdin=body)
        assert done.returncode == 0, done.stderr
        assert peer.message().body == body


def test_a_retained_message_is_kept_and_removed(broker: Broker, name: str) -> None:
    assert mosquitto_pub(broker, "-t", name, "-m", "kept", "-r", "-q", "1").returncode == 0
    with mosquitto_sub(broker, "-t", name, "-F", "> %r %p") as subscriber:
        assert subscriber.heard(1) == ["1 kept"]
    assert mosquitto_pub(broker, "-t", name, "-n", "-r", "-q", "1").returncode == 0
    with mosquitto_sub(broker, "-t", name, "-F", "> %r %p") as subscriber:
        mosquitto_pub(broker, "-t", name, "-m", "live")
        assert subscriber.heard(1) == ["0 live"]


def test_a_session_that_stays_waits_for_its_client(broker: Broker, name: str) -> None:
    stays = ["-t", name, "-q", "1", "-c", "-i", name, "-F", "> %p"]
    with mosquitto_sub(broker, *stays):
        pass
    assert mosquitto_pub(broker, "-t", name, "-m", "while away", "-q", "1").returncode == 0
    with mosquitto_sub(broker, *stays) as subscriber:
        assert subscriber.heard(1) == ["while away"]


def test_a_will_is_published(broker: Broker, name: str) -> None:
    with MqttPeer.login(broker) as peer:
        peer.subscribe(f"{name}/will")
        will = ["--will-topic", f"{name}/will", "--will-payload", "gone", "--will-qos", "1"]
        with mosquitto_sub(broker, "-t", name, *will) as subscriber:
            subscriber.process.kill()
            assert peer.message().body == b"gone"


def test_a_wrong_password_is_refused(broker: Broker, name: str) -> None:
    done = mosquitto_pub(broker, "-t", name, "-m", "x", user=User("admin", "wrong"))
    assert done.returncode != 0
    assert b"bad user name or password" in done.stderr.lower(), done.stderr


def test_mqtt_5_is_refused_as_a_version(broker: Broker, name: str) -> None:
    done = mosquitto_pub(broker, "-t", name, "-m", "x", version="mqttv5")
    assert done.returncode != 0
    assert b"protocol" in done.stderr.lower(), done.stderr


def test_a_certificate_of_another_authority_is_refused(broker: Broker, own_broker: Broker, name: str) -> None:
    command = words(broker, "mosquitto_pub")
    command[command.index("--cafile") + 1] = str(own_broker.ca)
    done = subprocess.run([*command, "-t", name, "-m", "x"], capture_output=True, timeout=30)
    assert done.returncode != 0


def test_a_subscriber_lives_on_by_its_pings(broker: Broker, name: str) -> None:
    with mosquitto_sub(broker, "-t", name, "-k", "5", "-F", "> %p") as subscriber:
        began = time.monotonic()
        eventually(lambda: time.monotonic() - began > 8, "longer than one and a half times the keep-alive", every=0.5)
        mosquitto_pub(broker, "-t", name, "-m", "still here")
        assert subscriber.heard(1) == ["still here"]
