"""The guard: what it keeps, and what it lets through."""

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
