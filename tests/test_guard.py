"""The guard: what it keeps, and what it lets through."""

from traceback import extract_tb

import pytest

from janitor.guard import foreign_code


def test_an_error_is_kept_and_the_next_line_runs() -> None:
    with foreign_code() as caught:
        raise ValueError("what others wrote")
    assert isinstance(caught.error, ValueError) and str(caught.error) == "what others wrote"


def test_a_block_that_ends_well_leaves_no_error() -> None:
    with foreign_code() as caught:
        pass
    assert caught.error is None


def test_an_exit_passes_unless_it_is_asked_for() -> None:
    with pytest.raises(SystemExit):
        with foreign_code():
            raise SystemExit(3)
    with foreign_code(BaseException) as caught:
        raise SystemExit(3)
    assert isinstance(caught.error, SystemExit) and caught.error.code == 3


def test_the_guard_is_no_part_of_the_traceback() -> None:
    with foreign_code() as caught:
        raise ValueError
    assert caught.error is not None and caught.error.__traceback__ is not None
    assert [frame.name for frame in extract_tb(caught.error.__traceback__)] == [
        "test_the_guard_is_no_part_of_the_traceback"
    ]
