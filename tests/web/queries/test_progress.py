"""Progress tells the truth: each kind by itself, and 100 % only when all is done."""

from collections import Counter

import pytest

from janitor.state.item_counts import EVER, Count
from janitor.state.item_standing import share_done
from janitor.state.item_states import BLOCKED, DONE, FAILED, LATER, LEFT_OUT, PROCESSING, READY, WAITING
from janitor.web.queries.progress import by_step, progress_of


def test_each_state_counts_as_what_it_is() -> None:
    # Given another number of steps in each state.
    # What happens: their progress is told.
    # What must hold: what waits, is at work, is blocked and has failed is told apart, and nothing counts twice.
    found = progress_of(
        {WAITING: 1, READY: 2, LATER: 4, PROCESSING: 8, DONE: 16, FAILED: 32, BLOCKED: 64, LEFT_OUT: 128}
    )
    told = (found.waiting, found.processing, found.done, found.failed, found.blocked)
    assert told == (7, 8, 144, 32, 64) and found.all == sum(told) == 255
    assert found.share == 144 / 255


@pytest.mark.parametrize("other", [WAITING, READY, LATER, PROCESSING, FAILED, BLOCKED])
def test_only_if_all_is_done_it_is_whole(other: int) -> None:
    assert progress_of({DONE: 3, LEFT_OUT: 2}).share == 1.0
    assert progress_of({}).share == 1.0
    almost = [DONE] * 999 + [other]
    assert progress_of(Counter(almost)).share == share_done(almost) == 0.999


def test_a_count_that_is_off_for_a_moment_makes_no_more_than_all() -> None:
    assert progress_of({DONE: 5, PROCESSING: -1}).share == 1.0
    assert progress_of({DONE: 0, READY: -1}).all == 0


def test_attempts_are_no_items() -> None:
    counts = [
        Count("p", "a", EVER, "processed", 9),
        Count("p", "a", DONE, "processed", 2),
        Count("p", "a", DONE, "few", 3),
    ]
    assert by_step(counts) == {"a": Counter({DONE: 5})}
