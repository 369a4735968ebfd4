"""Compares KeepMQ with other brokers on this machine: `python3 bench/compare --help`."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from brokers import ALL, ActiveMq, Broker, KeepMq
from measure import FULL, QUICK, Effort, Generator, measure
from processes import Failed, find_program
from report import markdown
from rows import ROWS, chosen


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 bench/compare", description=__doc__)
    parser.add_argument("--keepmq", type=Path, metavar="FILE", help="the broker to compare; without it only the others run")
    parser.add_argument("--generator", type=Path, metavar="FILE", help="measure with this, not with `FILE bench` of --keepmq")
    parser.add_argument("--brokers", metavar="NAMES", help="only these, with commas: " + ",".join(b.name for b in ALL))
    parser.add_argument("--rows", metavar="NAMES", help="only rows that begin so, with commas; --list shows them")
    parser.add_argument("--quick", action="store_true", help="short runs, which show that it works and little more")
    parser.add_argument("--repeats", type=int, metavar="N", help="runs of each row")
    parser.add_argument("--seconds", type=float, metavar="S", help="length of each run")
    parser.add_argument("--connections", type=int, metavar="N", help="idle connections")
    parser.add_argument("--dir", type=Path, default=Path("/var/tmp"), help="a directory on the disk to measure")
    parser.add_argument("--keepmq-offset", type=int, default=1700, metavar="N", help="added to KeepMQ's ports")
    parser.add_argument("--activemq-home", type=Path, metavar="DIR", help="an unpacked apache-activemq, not Debian's")
    parser.add_argument("--out", type=Path, metavar="DIR", help="also writes report.md and every run's raw.json there")
    parser.add_argument("--keep", action="store_true", help="keeps the brokers' directories, with their logs")
    parser.add_argument("--list", action="store_true", help="shows the rows and ends")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    if args.list:
        for row in ROWS:
            print(f"{row.name:18} {row.title}")
        return 0
    try:
        return compare(args)
    except Failed as failure:
        print(f"compare: {failure}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def compare(args: argparse.Namespace) -> int:
    KeepMq.offset = args.keepmq_offset
    if args.activemq_home:
        ActiveMq.home = args.activemq_home.resolve()
    brokers, effort = choose_brokers(args), choose_effort(args)
    rows = chosen(args.rows.split(",") if args.rows else [])
    if not rows:
        raise Failed("no row begins so; --list shows them")
    generator = Generator(choose_generator(args))
    base = Path(tempfile.mkdtemp(prefix="keepmq-compare-", dir=args.dir))
    try:
        results = measure(rows, brokers, generator, effort, base)
    finally:
        if args.keep:
            print(f"kept: {base}", file=sys.stderr)
        else:
            shutil.rmtree(base, ignore_errors=True)
    versions = {kind.name: kind(base).version() for kind in brokers}
    text = markdown(rows, brokers, versions, results, effort)
    print(text)
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "report.md").write_text(text)
        (args.out / "raw.json").write_text(json.dumps(results.raw, indent=1) + "\n")
    return 1 if any(broker == KeepMq.name for _, broker in results.faults) else 0


def choose_brokers(args: argparse.Namespace) -> list[type[Broker]]:
    """Those that were asked for and are there; what is missing is told."""
    names = args.brokers.split(",") if args.brokers else [kind.name for kind in ALL]
    unknown = set(names) - {kind.name for kind in ALL}
    if unknown:
        raise Failed(f"no broker is called {', '.join(sorted(unknown))}")
    wanted = [kind for kind in ALL if kind.name in names]
    if args.keepmq is None:
        wanted = [kind for kind in wanted if kind is not KeepMq]
    else:
        KeepMq.program = existing(args.keepmq)
    packages = [package for kind in wanted if (package := kind.missing())]
    if find_program("openssl") is None:
        packages.append("openssl")
    if packages:
        print(f"missing Debian packages: {' '.join(packages)}; going on without", file=sys.stderr)
    there = [kind for kind in wanted if not kind.missing()]
    if not there:
        raise Failed("no broker to measure; install one, or give --keepmq FILE")
    return there


def choose_effort(args: argparse.Namespace) -> Effort:
    effort = QUICK if args.quick else FULL
    given = {name: getattr(args, name) for name in ("repeats", "seconds", "connections")}
    return replace(effort, **{name: value for name, value in given.items() if value is not None})


def choose_generator(args: argparse.Namespace) -> list[str]:
    if args.generator:
        return [str(existing(args.generator))]
    if args.keepmq:
        return [str(existing(args.keepmq)), "bench"]
    raise Failed("no generator: build it by `cargo build --release` and give --keepmq FILE")


def existing(path: Path) -> Path:
    if not path.is_file():
        raise Failed(f"{path} is not there; build it by `cargo build --release`")
    return path.resolve()


if __name__ == "__main__":
    sys.exit(main())
