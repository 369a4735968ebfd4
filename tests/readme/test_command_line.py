"""What the text of the documents says of commands and options is true. Those of the examples are tried by running them."""

import re
import subprocess
import sys
from functools import cache

import pytest

from keepmq_testing.broker import keepmq
from readme.markdown import BENCH, DOCUMENTS, README, ROOT, Line, quoted

OPTION = re.compile(r"--[a-z][a-z-]*")
LISTED = re.compile(r"^Commands:\n((?:  .+\n)+)", re.MULTILINE)


@cache
def usage(*command: str) -> str:
    """The help of a command."""
    done = keepmq("help", *command)
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def subcommands(*command: str) -> list[str]:
    """What the help of a command lists."""
    listed = LISTED.search(usage(*command))
    return [line.split()[0] for line in listed[1].splitlines()] if listed else []


@cache
def options(*command: str) -> frozenset[str]:
    """Those of a command and of all below it."""
    below = [options(*command, name) for name in subcommands(*command) if name != "help"]
    return frozenset(OPTION.findall(usage(*command))).union(*below)


def command_in(named: Line) -> list[str]:
    """As many words as name a command. What is no command is expected where a command has none below it."""
    command: list[str] = []
    for word in named.text.split()[1:]:
        below = subcommands(*command)
        if not below or word.startswith("-"):
            break
        assert word in below, f"{named.place}: `{named.text}`"
        command.append(word)
    return command


def test_commands_that_are_named_exist_with_their_options() -> None:
    for named in (line for document in DOCUMENTS for line in quoted(document)):
        if named.text.startswith("keepmq "):
            missing = set(OPTION.findall(named.text)) - options(*command_in(named))
            assert not missing, f"{named.place}: `{named.text}`"


def test_options_that_are_named_exist() -> None:
    compare = [sys.executable, "-B", ROOT / "bench/compare", "--help"]
    of_compare = subprocess.run(compare, capture_output=True, text=True, check=True).stdout
    known = {document: options() for document in DOCUMENTS}
    known[BENCH] = known[BENCH].union(OPTION.findall(of_compare))
    for document in DOCUMENTS:
        for named in quoted(document):
            if named.text.startswith("--"):
                assert named.text.split()[0] in known[document], f"{named.place}: `{named.text}`"


def test_the_readme_names_every_command() -> None:
    text = README.read_text()
    assert [name for name in subcommands() if not re.search(rf"(keepmq|cargo run --release --) {name}\b", text)] == []


@pytest.mark.parametrize("protocol, name", [("amqp", "AMQP 1.0"), ("websocket", "WebSocket")])
def test_what_is_not_there_yet_is_refused(protocol: str, name: str) -> None:
    missing = README.read_text().partition("\n## Not there yet\n")[2].partition("\n## ")[0]
    refused = keepmq("quickstart", "--protocols", protocol).returncode != 0
    assert refused and name in missing
