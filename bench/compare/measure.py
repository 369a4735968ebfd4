"""Carries out the rows: runs the generator against each broker in turn and collects what it reports."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brokers import Broker
from processes import Failed, resident_bytes
from rows import Row


@dataclass
class Effort:
    """How long to measure."""

    repeats: int
    seconds: float
    warm_up: float
    connections: int
    settle: float
    #: Each row once, before anything counts.
    prime: float


FULL = Effort(repeats=5, seconds=4, warm_up=1, connections=1000, settle=3, prime=8)
QUICK = Effort(repeats=2, seconds=1, warm_up=0.3, connections=100, settle=1, prime=1)


@dataclass
class Results:
    """Every figure of every run, by row, broker and figure."""

    values: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)
    #: What was wrong, by row and broker.
    faults: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    raw: list[dict[str, Any]] = field(default_factory=list)

    def add(self, row: Row, broker: str, report: dict[str, Any]) -> None:
        self.raw.append({"row": row.name, "broker": broker, "report": report})
        if report.get("faults"):
            self.faults.setdefault((row.name, broker), []).extend(report["faults"])
            return
        for figure in row.figures:
            value = figure.read(report)
            if value is not None:
                self.values.setdefault((row.name, broker, figure.key), []).append(value)

    def fail(self, row: Row, broker: str, why: str) -> None:
        self.raw.append({"row": row.name, "broker": broker, "error": why})
        self.faults.setdefault((row.name, broker), []).append(why)

    def of(self, row: str, broker: str, figure: str) -> list[float]:
        return self.values.get((row, broker, figure), [])

    def median(self, row: str, broker: str, figure: str) -> float | None:
        values = self.of(row, broker, figure)
        return statistics.median(values) if values else None


class Generator:
    """The load generator as a program."""

    def __init__(self, program: list[str]):
        self.program = program
        self.count = 0

    def run(self, arguments: list[str], environment: dict[str, str], seconds: float) -> dict[str, Any]:
        """One report. Messages that went astray are in it; a run that could not be carried out raises."""
        command = [*self.program, *arguments, "--json"]
        limit = 120 + 10 * seconds
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, env=os.environ | environment, timeout=limit, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Failed(f"the generator did not end within {limit:.0f} s") from error
        if done.returncode not in (0, 1):
            raise Failed(done.stderr.strip() or f"the generator ended with code {done.returncode}")
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError as error:
            raise Failed(f"the generator said something else than a report: {done.stdout[:200]!r}") from error

    def disk(self, directory: Path, seconds: float) -> float:
        """Appends of 4 KiB with fdatasync that this directory's disk does in a second."""
        arguments = ["disk", "--dir", str(directory), "--duration", str(seconds)]
        return float(self.run(arguments, {}, seconds)["per_second"])

    def load(self, row: Row, broker: Broker, seconds: float, warm_up: float) -> dict[str, Any]:
        # A destination of its own: what an interrupted run left behind must not meet the next one.
        self.count += 1
        arguments = ["load", *row.arguments, "--destination", f"bench-{row.name}-{self.count}"]
        arguments += ["--duration", str(seconds), "--warm-up", str(warm_up)]
        return self.run(arguments + reach(row, broker), broker.environment, seconds + warm_up)

    def idle(self, row: Row, broker: Broker, connections: int, hold: float) -> dict[str, Any]:
        arguments = ["idle", *row.arguments, "--connections", str(connections), "--hold", str(hold)]
        return self.run(arguments + reach(row, broker), broker.environment, hold)


def reach(row: Row, broker: Broker) -> list[str]:
    """The arguments with which the generator gets into a broker by a row's door."""
    door = broker.doors[row.door]
    arguments = ["--address", f"127.0.0.1:{door.port}", "--pid", str(broker.pid), *broker.arguments]
    return arguments + (["--ca", str(door.ca)] if door.ca else [])


def measure(rows: list[Row], brokers: list[type[Broker]], generator: Generator, effort: Effort, base: Path) -> Results:
    """Runs everything. Brokers take turns in every row, so that what disturbs the machine disturbs all alike."""
    results = Results()
    measure_starts(rows, brokers, effort, base, results)
    crew = [kind(base / kind.name) for kind in brokers]
    try:
        for broker in crew:
            broker.start()
        time.sleep(effort.settle)
        prime(rows, crew, generator, effort)
        for repeat in range(effort.repeats):
            for row in rows:
                here = [broker for broker in crew if row.scenario == "load" and row.door in broker.doors]
                for turn in range(row.turns):
                    for broker in in_turn(here, repeat + turn):
                        measure_load(row, broker, generator, effort, results)
    finally:
        for broker in crew:
            broker.stop()
    measure_idle(rows, brokers, generator, effort, base, results)
    return results


def in_turn(crew: list[Broker], repeat: int) -> list[Broker]:
    """Another one is first each time."""
    first = repeat % max(len(crew), 1)
    return crew[first:] + crew[:first]


def prime(rows: list[Row], crew: list[Broker], generator: Generator, effort: Effort) -> None:
    """A run of each row that does not count: Java compiles while it runs, files grow, caches fill."""
    for row in rows:
        for broker in crew:
            if row.scenario == "load" and row.door in broker.doors:
                say(f"warming up {broker.name}: {row.name}")
                try:
                    generator.load(row, broker, effort.prime, 0)
                except Failed as failure:
                    say(f"  {failure}")


def measure_load(row: Row, broker: Broker, generator: Generator, effort: Effort, results: Results) -> None:
    say(f"{row.name}: {broker.name}")
    try:
        # Right before, for a disk that others use too changes its speed.
        disk = generator.disk(broker.directory, effort.seconds / 4) if needs_disk(row) else None
        report = generator.load(row, broker, effort.seconds, effort.warm_up)
        if disk:
            report["disk_per_second"] = disk
            report["of_disk"] = report["published"]["per_second"] / disk
    except Failed as failure:
        say(f"  {failure}")
        results.fail(row, broker.name, str(failure))
        return
    for fault in report["faults"]:
        say(f"  {fault}")
    results.add(row, broker.name, report)


def needs_disk(row: Row) -> bool:
    return any(figure.key == "of-disk" for figure in row.figures)


def measure_starts(rows: list[Row], brokers: list[type[Broker]], effort: Effort, base: Path, results: Results) -> None:
    """Starts and stops each broker: in a new directory, in the same once more, and looks at its memory."""
    wanted = {row.name: row for row in rows if row.scenario in ("start", "memory")}
    if not wanted:
        return
    for repeat in range(effort.repeats):
        for kind in brokers:
            say(f"starting {kind.name}")
            broker = kind(base / f"{kind.name}-start-{repeat}")
            try:
                measure_start(broker, wanted, effort, results)
            except Failed as failure:
                say(f"  {failure}")
                results.fail(next(iter(wanted.values())), kind.name, str(failure))
            finally:
                broker.stop()
                shutil.rmtree(broker.directory, ignore_errors=True)


def measure_start(broker: Broker, wanted: dict[str, Row], effort: Effort, results: Results) -> None:
    seconds = broker.start()
    if "start-new" in wanted:
        results.add(wanted["start-new"], broker.name, {"seconds": seconds})
    if "memory" in wanted:
        time.sleep(effort.settle)
        results.add(wanted["memory"], broker.name, {"memory": resident_bytes(broker.pid)})
    if "start-again" in wanted:
        broker.stop()
        results.add(wanted["start-again"], broker.name, {"seconds": broker.start()})


def measure_idle(
    rows: list[Row],
    brokers: list[type[Broker]],
    generator: Generator,
    effort: Effort,
    base: Path,
    results: Results,
) -> None:
    """A broker started anew for each: memory that earlier connections left free would hide what new ones take."""
    for repeat in range(min(effort.repeats, 3)):
        for row in (row for row in rows if row.scenario == "idle"):
            for kind in brokers:
                broker = kind(base / f"{kind.name}-{row.name}-{repeat}")
                try:
                    broker.start()
                    if row.door in broker.doors:
                        say(f"{row.name}: {broker.name}")
                        time.sleep(effort.settle)
                        results.add(row, broker.name, generator.idle(row, broker, effort.connections, 2 * effort.settle))
                except Failed as failure:
                    say(f"  {failure}")
                    results.fail(row, broker.name, str(failure))
                finally:
                    broker.stop()
                    shutil.rmtree(broker.directory, ignore_errors=True)


def say(text: str) -> None:
    """Progress, on standard error: the report alone goes to standard output."""
    print(text, file=sys.stderr, flush=True)
