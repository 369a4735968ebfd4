"""Brokers whose log tells of each connection's end."""

from collections.abc import Iterator

import pytest

from keepmq_testing.broker import Broker


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    """A broker that the tests of a file share."""
    made = Broker(plain=True, log_level="debug")
    try:
        yield made.quickstart()
    finally:
        made.dispose()
