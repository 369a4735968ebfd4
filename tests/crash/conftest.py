"""Brokers whose journal is cut into small files, so that a short test has many of them."""

from collections.abc import Callable

import pytest

from keepmq_testing.broker import Broker


@pytest.fixture
def stopped_broker(make_broker: Callable[..., Broker]) -> Broker:
    """A broker with small segments, made and not running."""
    broker = make_broker(plain=True).quickstart()
    assert broker.stop() == 0
    for line in ('segment-bytes = "1MiB"', 'checkpoint-bytes = "2MiB"'):
        broker.set_option("store", line)
    return broker
