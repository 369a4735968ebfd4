"""What the documents show is what happens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from readme.examples import Command, examples
from readme.exceptions import EXIT_CODES, NOT_RUN, SHORTENED
from readme.markdown import DOCUMENTS, ROOT
from readme.reader import Reader


@pytest.fixture
def reader() -> Iterator[Reader]:
    """Somebody who has read nothing yet."""
    made = Reader()
    try:
        yield made
    finally:
        made.leave()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_every_example_happens_as_shown(reader: Reader, document: Path) -> None:
    for example in examples(document):
        reader.follow(example)


def test_exceptions_are_for_commands_that_are_shown() -> None:
    found = [example for document in DOCUMENTS for example in examples(document)]
    commands = {example.text for example in found if isinstance(example, Command)}
    assert NOT_RUN.keys() | EXIT_CODES.keys() <= commands
    for option in SHORTENED:
        assert any(option in command for command in commands - NOT_RUN.keys()), option
