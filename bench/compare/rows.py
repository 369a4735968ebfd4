"""What is compared. A row is one way to use a broker, with the figures that matter in it and what KeepMQ aims at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable


@dataclass(frozen=True)
class Figure:
    """One number of a run."""

    key: str
    title: str
    unit: str
    #: Takes it out of the generator's report.
    read: Callable[[dict[str, Any]], float | None]
    less_is_better: bool = True
    digits: int = 2


@dataclass(frozen=True)
class Aim:
    """What a figure of KeepMQ should be, as a ratio to another broker's or by itself."""

    key: str
    limit: float
    #: Without a peer the limit is the figure itself.
    peer: str | None = None
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def text(self) -> str:
        relation = "at least" if self.at_least else "at most"
        return f"{relation} {self.limit:g}" + (f" of {self.peer}'s" if self.peer else "")


@dataclass(frozen=True)
class Row:
    """One way to use a broker."""

    name: str
    title: str
    #: The door it goes through, and so the brokers that have one.
    door: str
    #: The generator's arguments, without the address.
    arguments: list[str]
    figures: list[Figure]
    aims: list[Aim]
    #: `load`, `idle`, `start` or `memory`.
    scenario: str = "load"
    #: Runs for each repeat. Where a figure hangs on the processor that the kernel chose for a run, a few tell nothing.
    turns: int = 1


def _at(*path: str) -> Callable[[dict[str, Any]], float | None]:
    def read(report: dict[str, Any]) -> float | None:
        value: Any = report
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    return read


def _divided(read: Callable[[dict[str, Any]], float | None], by: float) -> Callable[[dict[str, Any]], float | None]:
    def scaled(report: dict[str, Any]) -> float | None:
        value = read(report)
        return None if value is None else value / by

    return scaled


CPU = Figure("cpu", "broker CPU per message", "us", _at("broker_cpu", "published"))
CPU_DELIVERED = Figure("cpu", "broker CPU per delivered message", "us", _at("broker_cpu", "delivered"))
RATE = Figure("rate", "delivered", "/s", _at("delivered", "per_second"), less_is_better=False, digits=0)
PUBLISHED = Figure("rate", "acknowledged", "/s", _at("published", "per_second"), less_is_better=False, digits=0)
P50 = Figure("p50", "p50 to the consumer", "ms", _at("latency", "p50"), digits=3)
P99 = Figure("p99", "p99 to the consumer", "ms", _at("latency", "p99"), digits=3)
P999 = Figure("p99.9", "p99.9 to the consumer", "ms", _at("latency", "p99_9"), digits=3)
ACK_P50 = Figure("ack-p50", "p50 to the acknowledgement", "ms", _at("ack_latency", "p50"), digits=3)
ACK_P99 = Figure("ack-p99", "p99 to the acknowledgement", "ms", _at("ack_latency", "p99"), digits=3)
GENERATOR = Figure("generator", "generator's own CPU per message", "us", _at("generator_cpu", "published"))
OF_DISK = Figure("of-disk", "of the disk's fdatasync rate", "", _at("of_disk"), less_is_better=False)
EACH = Figure("each", "memory per connection", "KiB", _divided(_at("memory_each"), 1024), digits=1)
SECONDS = Figure("ready", "start to ready", "ms", _divided(_at("seconds"), 0.001), digits=0)
MEMORY = Figure("memory", "resident memory", "MiB", _divided(_at("memory"), 1024 * 1024), digits=1)

MQTT = ["--protocol", "mqtt"]
STOMP = ["--protocol", "stomp", "--persistent", "--ack", "client", "--prefetch", "1000"]
OPENWIRE = ["--protocol", "openwire", "--ack", "client"]


def _load(
    name: str, title: str, arguments: list[str], figures: list[Figure], *aims: Aim, turns: int = 1
) -> Row:
    door = arguments[arguments.index("--protocol") + 1]
    return Row(name, title, door, arguments, figures + [GENERATOR], list(aims), turns=turns)


ROWS: list[Row] = [
    Row("start-new", "start to ready, new directory", "", [], [SECONDS], [Aim("ready", 150)], "start"),
    Row("start-again", "start to ready, existing directory", "", [], [SECONDS], [Aim("ready", 150)], "start"),
    Row("memory", "idle memory, a few seconds after the start", "", [], [MEMORY], [Aim("memory", 15)], "memory"),
    _load(
        "mqtt-qos0",
        "MQTT QoS 0, 1 to 1, 256 B, as fast as it goes",
        MQTT + ["--qos", "0"],
        [CPU, RATE],
        Aim("cpu", 0.3, "mosquitto"),
    ),
    _load(
        "mqtt-qos1",
        "MQTT QoS 1, 1 to 1, 256 B, window 1000",
        MQTT + ["--qos", "1"],
        [CPU, RATE],
        Aim("cpu", 0.3, "mosquitto"),
    ),
    _load("mqtt-qos2", "MQTT QoS 2, 1 to 1, 256 B, window 20", MQTT + ["--qos", "2", "--window", "20"], [CPU, RATE]),
    _load("mqtt-fan-out", "MQTT QoS 0, 1 to 8, 256 B", MQTT + ["--consumers", "8"], [CPU_DELIVERED, RATE]),
    _load("mqtt-4k", "MQTT QoS 0, 1 to 1, 4 KiB", MQTT + ["--size", "4096"], [CPU, RATE]),
    _load(
        "mqtt-latency",
        "MQTT QoS 0, 1 to 1, 256 B, 1,000 a second",
        MQTT + ["--rate", "1000"],
        [P50, P99, P999, CPU],
        Aim("p99", 1.0, "mosquitto"),
        turns=5,
    ),
    _load(
        "stomp-window",
        "STOMP persistent queue, 1 to 1, 256 B, window 1000",
        STOMP + ["--window", "1000"],
        [CPU, RATE, ACK_P99],
        Aim("cpu", 0.05, "activemq"),
        Aim("rate", 20, "activemq", at_least=True),
    ),
    _load(
        "stomp-16-waiting",
        "STOMP persistent queue, 16 producers that wait for each receipt",
        STOMP + ["--window", "1", "--producers", "16"],
        [PUBLISHED, CPU, ACK_P50, ACK_P99],
        Aim("rate", 6, "activemq", at_least=True),
    ),
    _load(
        "stomp-1-waiting",
        "STOMP persistent queue, one producer that waits for each receipt",
        STOMP + ["--window", "1"],
        [PUBLISHED, OF_DISK, CPU, ACK_P50, ACK_P99],
        Aim("of-disk", 0.9, at_least=True),
        turns=2,
    ),
    _load(
        "openwire-window",
        "OpenWire persistent queue, 1 to 1, 256 B, window 1000",
        OPENWIRE + ["--persistent"],
        [CPU, RATE, ACK_P99],
        Aim("cpu", 0.05, "activemq"),
        Aim("rate", 20, "activemq", at_least=True),
    ),
    _load(
        "openwire-64-waiting",
        "OpenWire persistent queue, 64 producers that wait for each answer",
        OPENWIRE + ["--persistent", "--window", "1", "--producers", "64"],
        [PUBLISHED, CPU, ACK_P50, ACK_P99],
    ),
    _load(
        "openwire-16-waiting",
        "OpenWire persistent queue, 16 producers that wait for each answer",
        OPENWIRE + ["--persistent", "--window", "1", "--producers", "16"],
        [PUBLISHED, CPU, ACK_P50, ACK_P99],
        Aim("rate", 6, "activemq", at_least=True),
    ),
    _load(
        "openwire-1-waiting",
        "OpenWire persistent queue, one producer that waits for each answer",
        OPENWIRE + ["--persistent", "--window", "1"],
        [PUBLISHED, OF_DISK, CPU, ACK_P50, ACK_P99],
        Aim("of-disk", 0.9, at_least=True),
        turns=2,
    ),
    _load(
        "openwire-queue",
        "OpenWire queue, not persistent, 1 to 1, 256 B, window 1000",
        OPENWIRE,
        [CPU, RATE],
        Aim("cpu", 0.25, "activemq"),
    ),
    _load(
        "openwire-topic",
        "OpenWire topic, 1 to 1, 256 B, as fast as it goes",
        OPENWIRE + ["--kind", "topic", "--window", "0"],
        [CPU, RATE],
        Aim("cpu", 0.25, "activemq"),
    ),
    _load(
        "openwire-fan-out",
        "OpenWire topic, 1 to 10, 256 B, as fast as it goes",
        OPENWIRE + ["--kind", "topic", "--window", "0", "--consumers", "10"],
        [CPU_DELIVERED, RATE],
        Aim("cpu", 0.25, "activemq"),
    ),
    Row("idle-mqtt", "idle MQTT connections, plain", "mqtt", MQTT, [EACH], [], "idle"),
    Row("idle-mqtt-tls", "idle MQTT connections, TLS", "mqtt-tls", MQTT, [EACH], [Aim("each", 20)], "idle"),
    Row("idle-stomp", "idle STOMP connections, plain", "stomp", ["--protocol", "stomp"], [EACH], [], "idle"),
]


def chosen(names: list[str]) -> list[Row]:
    """Rows by their name or the beginning of it; all without names."""
    return [row for row in ROWS if not names or any(row.name.startswith(name) for name in names)]
