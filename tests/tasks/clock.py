"""A clock for feeds, set by the test."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import URL

from janitor.feeds import Feed


class Clock:
    """Seconds that go on only when a test says so."""

    def __init__(self) -> None:
        self.now = 10_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time go by."""
        self.now += seconds

    def give_to(self, patch: pytest.MonkeyPatch, module: object, name: str) -> "Clock":
        """Let the feed that the function `name` of `module` makes be read by this clock."""
        made: Callable[[URL], Feed] = getattr(module, name)
        patch.setattr(module, name, lambda url: replace(made(url), clock=self))
        return self
