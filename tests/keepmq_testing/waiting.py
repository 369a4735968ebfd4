"""Waiting for something that will happen, instead of sleeping and hoping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Generous: the machine may be busy with other things.
PATIENCE = 20.0


def eventually(look: Callable[[], T], what: str, within: float = PATIENCE, every: float = 0.01) -> T:
    """Looks until there is something to see, and returns it."""
    deadline = time.monotonic() + within
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {within} s: {what} (last seen: {seen!r})")
        time.sleep(every)
