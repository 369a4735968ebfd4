"""Files that the documents name exist. Links, and paths below `crates/`, are the business of `cargo xtask tidy`."""

import pytest

from keepmq_testing.broker import Broker
from readme.markdown import DOCUMENTS, ROOT, quoted

MADE = "keepmq-data/"
NAMED = [line for document in DOCUMENTS for line in quoted(document)]


@pytest.mark.parametrize("path", sorted({line.text for line in NAMED if line.text.startswith(MADE)}))
def test_files_of_a_new_broker_exist(broker: Broker, path: str) -> None:
    assert (broker.dir / path.removeprefix(MADE)).exists()


def test_files_of_the_checkout_exist() -> None:
    folders = tuple(f"{entry.name}/" for entry in ROOT.iterdir() if entry.name not in ("crates", "target"))
    for named in NAMED:
        if named.text.startswith(folders) and not named.text.startswith(MADE):
            assert (ROOT / named.text).exists(), f"{named.place}: `{named.text}`"
