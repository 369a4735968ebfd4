"""What a document says in code: its fenced blocks, and the words between backticks in its text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BENCH = ROOT / "bench/README.md"
DOCUMENTS = [README, BENCH, ROOT / "ARCHITECTURE.md"]

FENCE = "```"
QUOTED = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Line:
    """A line, or some of one, and where it is: `README.md:17`."""

    place: str
    text: str


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    place: str
    language: str
    lines: list[Line]


def blocks(document: Path) -> list[Block]:
    """The fenced blocks."""
    return [part for part in _parts(document) if isinstance(part, Block)]


def quoted(document: Path) -> list[Line]:
    """What the text has between backticks, also across the end of a line."""
    lines = [part for part in _parts(document) if isinstance(part, Line)]
    text = "\n".join(line.text for line in lines)
    found = QUOTED.finditer(text)
    return [Line(lines[text.count("\n", 0, match.start())].place, " ".join(match[1].split())) for match in found]


def _parts(document: Path) -> Iterator[Block | Line]:
    name = document.relative_to(ROOT)
    block: Block | None = None
    for number, text in enumerate(document.read_text().splitlines(), 1):
        line = Line(f"{name}:{number}", text)
        if block is None and text.startswith(FENCE):
            block = Block(line.place, text.removeprefix(FENCE).strip(), [])
        elif block is None:
            yield line
        elif text == FENCE:
            yield block
            block = None
        else:
            block.lines.append(line)
    assert block is None, f"{block.place}: the block does not end"
