"""Examples as the documents write them.

A `console` block holds commands after `$ `, one that ends with a backslash goes on in the next line, and below each what
it prints. Where nothing is shown, nothing is claimed. `...` stands for anything within a line, and alone for any lines.

A block in another language that begins with the comment `# FILE` is text to add to this file, which may be new.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from readme.markdown import Block, Line, blocks

PROMPT = "$ "
ANYTHING = "..."
FILE = re.compile(r"# (\S+)")


@dataclass(frozen=True)
class Command:
    """What to type, and what is then seen."""

    place: str
    text: str
    shown: list[str]


@dataclass(frozen=True)
class Addition:
    """What to write, and where."""

    place: str
    file: str
    text: str


Example = Command | Addition


def examples(document: Path) -> list[Example]:
    """All of a document, in order."""
    return [example for block in blocks(document) for example in _of(block)]


def _of(block: Block) -> list[Command] | list[Addition]:
    if block.language == "console":
        return _commands(block)
    file = FILE.fullmatch(block.lines[0].text)
    assert block.language and file, f"{block.place}: neither a console block nor the text of a named file"
    return [Addition(block.place, file[1], "".join(f"{line.text}\n" for line in block.lines))]


def _commands(block: Block) -> list[Command]:
    commands: list[Command] = []
    for line in block.lines:
        if line.text.startswith(PROMPT):
            commands.append(Command(line.place, line.text.removeprefix(PROMPT), []))
            continue
        assert commands, f"{line.place}: no command was given that could print this"
        _continue(commands, line)
    return commands


def _continue(commands: list[Command], line: Line) -> None:
    """A further line of the last command, or of what it prints."""
    last = commands[-1]
    if last.text.endswith("\\") and not last.shown:
        commands[-1] = Command(last.place, last.text.removesuffix("\\") + line.text.lstrip(), [])
    else:
        last.shown.append(line.text)


def is_as_shown(shown: list[str], said: str) -> bool:
    """Whether a command that said this did what is shown."""
    pattern = "".join("(?:.*\n)*" if line == ANYTHING else f"{_within(line)}\n" for line in shown)
    return not shown or re.fullmatch(pattern, said) is not None


def _within(line: str) -> str:
    return ".*".join(map(re.escape, line.split(ANYTHING)))
