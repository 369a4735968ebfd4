"""Brokers for all suites."""

from collections.abc import Callable, Generator, Iterator

import pytest

from keepmq_testing import broker as brokers
from keepmq_testing.broker import Broker

LOG_SHOWN = 8_000


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    """A broker that the tests of a file share: each uses names of its own."""
    made = Broker(plain=True)
    try:
        yield made.quickstart()
    finally:
        made.dispose()


@pytest.fixture
def make_broker() -> Iterator[Callable[..., Broker]]:
    """Makes brokers for one test only. They are not started."""
    made: list[Broker] = []

    def make(plain: bool = False, log_level: str = "info") -> Broker:
        made.append(Broker(plain, log_level))
        return made[-1]

    yield make
    for one in made:
        one.dispose()


@pytest.fixture
def own_broker(make_broker: Callable[..., Broker]) -> Broker:
    """A broker for one test only, which it may stop, kill and change."""
    return make_broker(plain=True).quickstart()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name that no other test of the same broker uses."""
    letters = (letter if letter.isalnum() else "-" for letter in request.node.name)
    return "".join(letters)[-100:].strip("-")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure comes with what the brokers said."""
    report = yield
    if report.failed:
        for one in brokers.running:
            report.sections.append((f"log of the broker in {one.dir}", one.log()[-LOG_SHOWN:]))
    return report
