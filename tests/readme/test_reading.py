"""The suite reads documents as people do."""

from pathlib import Path

import pytest

from readme import markdown
from readme.examples import Addition, Command, examples, is_as_shown
from readme.markdown import quoted


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """To be written."""
    monkeypatch.setattr(markdown, "ROOT", tmp_path)
    return tmp_path / "A.md"


def test_commands_and_what_they_print_are_told_apart(document: Path) -> None:
    document.write_text("Text.\n\n```console\n$ a \\\n    b\nc\nd\n$ e\n```\n")
    assert examples(document) == [Command("A.md:4", "a b", ["c", "d"]), Command("A.md:8", "e", [])]


def test_text_for_a_file_is_whole(document: Path) -> None:
    document.write_text("```toml\n# a/b.toml\n\nc = 1\n```\n")
    assert examples(document) == [Addition("A.md:1", "a/b.toml", "# a/b.toml\n\nc = 1\n")]


@pytest.mark.parametrize("block", ["```\n$ a\n```", "```sh\na\n```", "```console\na\n```", "```console\n$ a\n"])
def test_a_block_that_can_not_be_followed_is_a_mistake(document: Path, block: str) -> None:
    document.write_text(f"Text.\n\n{block}\n")
    with pytest.raises(AssertionError, match=r"A\.md:[34]"):
        examples(document)


def test_words_between_backticks_are_those_of_the_text(document: Path) -> None:
    document.write_text("A `b`, `c\nd`.\n\n```console\n$ `e`\n```\n\n`f`\n")
    assert [(line.place, line.text) for line in quoted(document)] == [("A.md:1", "b"), ("A.md:1", "c d"), ("A.md:8", "f")]


@pytest.mark.parametrize("shown", [[], ["..."], ["a b", "c"], ["a ...", "..."], ["...", "c"], ["a b", "c", "..."]])
def test_what_was_said_is_as_shown(shown: list[str]) -> None:
    assert is_as_shown(shown, "a b\nc\n")


@pytest.mark.parametrize("shown", [["a b"], ["a", "c"], ["a b", "c", "d"], ["c", "a b"], ["...", "..b", "c"]])
def test_what_was_said_is_something_else(shown: list[str]) -> None:
    assert not is_as_shown(shown, "a b\nc\n")
