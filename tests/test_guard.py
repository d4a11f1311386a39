"""The guard: what it hands on, what it lets through, and what it does not keep."""

import gc
import weakref
from collections.abc import Iterator
from traceback import extract_tb
from typing import NoReturn

import pytest

from janitor.guard import foreign_code


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Switch off the collector of circles: what is freed is freed by its last reference."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Large:
    """What a task holds."""


def test_an_error_is_handed_on_and_the_next_line_runs() -> None:
    with foreign_code(repr) as caught:
        raise ValueError("what others wrote")
    assert caught.instead == "ValueError('what others wrote')"


def test_a_block_that_ends_well_calls_no_handler() -> None:
    with foreign_code(repr) as caught:
        pass
    assert caught.instead is None


def test_an_exit_passes_unless_it_is_asked_for() -> None:
    with pytest.raises(SystemExit):
        with foreign_code(repr):
            raise SystemExit(3)
    with foreign_code(repr, BaseException) as caught:
        raise SystemExit(3)
    assert caught.instead == "SystemExit(3)"


def test_what_the_handler_raises_passes_on() -> None:
    def refuse(error: BaseException) -> NoReturn:
        raise LookupError("said in other words") from error

    with pytest.raises(LookupError) as raised:
        with foreign_code(refuse):
            raise ValueError("what others wrote")
    assert str(raised.value.__cause__) == "what others wrote"


def test_the_guard_is_no_part_of_the_traceback() -> None:
    with foreign_code(lambda error: [frame.name for frame in extract_tb(error.__traceback__)]) as caught:
        raise ValueError
    assert caught.instead == ["test_the_guard_is_no_part_of_the_traceback"]


@pytest.mark.usefixtures("no_collector")
def test_what_the_foreign_code_held_is_freed_at_once() -> None:
    """Given code that fails while it holds an object; when the caller returns; then the object is gone."""
    held: list[weakref.ref[Large]] = []

    def foreign() -> None:
        large = Large()
        held.append(weakref.ref(large))
        raise ValueError(large)

    def caller() -> None:
        with foreign_code(lambda error: None):
            foreign()

    caller()
    assert held[0]() is None
