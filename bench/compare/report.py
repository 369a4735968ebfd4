"""The report for people, in Markdown."""

from __future__ import annotations

import os
import platform
import statistics
from pathlib import Path

from brokers import Broker
from measure import Effort, Results
from rows import Figure, Row

SUBJECT = "keepmq"


def markdown(
    rows: list[Row], brokers: list[type[Broker]], versions: dict[str, str], results: Results, effort: Effort
) -> str:
    """The whole report."""
    parts = ["# Side by side", "", *_setting(effort), "", *_crew(brokers, versions), ""]
    for row in rows:
        parts += _row(row, brokers, results)
    parts += _aims(rows, results)
    return "\n".join(parts) + "\n"


def _setting(effort: Effort) -> list[str]:
    return [
        f"{_machine()}. All brokers and the generator on this machine, over the loopback address. "
        f"{effort.repeats} runs (more where a row says so) of {effort.seconds:g} s each after {effort.warm_up:g} s of "
        "warm-up, brokers in turns; "
        "median, and the range in brackets. CPU is that of the broker's processes in user and kernel mode.",
    ]


def _machine() -> str:
    cpu = "unknown CPU"
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), cpu)
        load = " ".join(Path("/proc/loadavg").read_text().split()[:3])
    except OSError:
        load = "unknown"
    return f"{os.cpu_count()} cores ({cpu}), {platform.system()} {platform.release()}, load average {load} at the end"


def _crew(brokers: list[type[Broker]], versions: dict[str, str]) -> list[str]:
    return [f"- **{broker.name}** {versions.get(broker.name, '')}: {broker.remark}" for broker in brokers]


def _row(row: Row, brokers: list[type[Broker]], results: Results) -> list[str]:
    names = [broker.name for broker in brokers if any(results.of(row.name, broker.name, f.key) for f in row.figures)]
    faults = {broker: told for (name, broker), told in results.faults.items() if name == row.name}
    if not names and not faults:
        return []
    parts = [f"## {row.title}", ""]
    if names:
        peers = [name for name in names if name != SUBJECT] if SUBJECT in names else []
        heads = names + [f"{SUBJECT} / {peer}" for peer in peers]
        parts += [f"| {row.name} | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
        parts += [_line(row, figure, names, peers, results) for figure in row.figures]
        parts.append("")
    for broker, told in faults.items():
        parts += [f"{broker} failed {len(told)} times, first: {told[0]}", ""]
    return parts


def _line(row: Row, figure: Figure, names: list[str], peers: list[str], results: Results) -> str:
    unit = f", {figure.unit}" if figure.unit else ""
    cells = [spread(results.of(row.name, name, figure.key), figure.digits) for name in names]
    cells += [_ratio(row.name, peer, figure.key, results) for peer in peers]
    return f"| {figure.title}{unit} | " + " | ".join(cells) + " |"


def spread(values: list[float], digits: int) -> str:
    """Median and range."""
    if not values:
        return "-"
    middle, low, high = (f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return middle if len(values) == 1 else f"{middle} ({low} to {high})"


def _ratio(row: str, peer: str, figure: str, results: Results) -> str:
    ratio = quotient(results.median(row, SUBJECT, figure), results.median(row, peer, figure))
    return "-" if ratio is None else f"{ratio:.2g}"


def quotient(ours: float | None, theirs: float | None) -> float | None:
    return None if ours is None or not theirs else ours / theirs


def _aims(rows: list[Row], results: Results) -> list[str]:
    lines = []
    for row in rows:
        for aim in row.aims:
            ours = results.median(row.name, SUBJECT, aim.key)
            value = quotient(ours, results.median(row.name, aim.peer, aim.key)) if aim.peer else ours
            if value is not None:
                verdict = "met" if aim.is_met(value) else "**not met**"
                lines.append(f"| {row.name} | {aim.key} | {aim.text()} | {value:.3g} | {verdict} |")
    if not lines:
        return []
    return ["## Aims", "", "| row | figure | aim | found | |", "| --- | --- | --- | ---: | --- |", *lines]
