"""Loops that raise at random, before and after they do what they should."""

import random
from collections.abc import Callable
from typing import TypeVar

from janitor.loops import Duty, Loops, no_error
from janitor.loops.duty import Passing

Done = TypeVar("Done")
ERRORS = (ValueError, KeyError, SystemExit, MemoryError, RecursionError, UnicodeError, OSError, AssertionError)


class Shaky(Loops):
    """Every duty raises, the first time and now and then, an error that nobody expects; `share` is how often."""

    def __init__(self, seed: int, share: float = 0.3) -> None:
        super().__init__()
        self._random, self._share, self._begun = random.Random(seed), share, set[str]()

    def duty(self, name: str, body: Callable[[], Done], passes: Passing = no_error) -> Duty[Done]:
        """Make a duty whose body may raise before or after it is done."""

        def shaken() -> Done:
            self._may_raise(name)
            done = body()
            self._may_raise(name)
            return done

        return super().duty(name, shaken, passes)

    def _may_raise(self, name: str) -> None:
        first = name not in self._begun
        self._begun.add(name)
        if first or self._random.random() < self._share / 2:
            raise self._random.choice(ERRORS)("raised at random")
