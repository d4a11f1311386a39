"""How far items are: what is done, waits, is at work, is blocked and has failed, each by itself."""

from collections import Counter
from collections.abc import Iterable, Mapping

from janitor.state.item_counts import Count
from janitor.state.item_states import BLOCKED, DONE, FAILED, LATER, LEFT_OUT, PROCESSING, READY, WAITING
from janitor.web.queries import models


def progress_of(numbers: Mapping[int, int]) -> models.Progress:
    """Progress of the steps of items, by how many are in each state."""
    done = sum(numbers.get(state, 0) for state in (DONE, LEFT_OUT))
    # A count may be off for a moment, between two transactions of others.
    everything = max(done, sum(number for state, number in numbers.items() if state >= WAITING))
    return models.Progress(
        all=everything,
        done=done,
        waiting=sum(numbers.get(state, 0) for state in (WAITING, READY, LATER)),
        processing=numbers.get(PROCESSING, 0),
        blocked=numbers.get(BLOCKED, 0),
        failed=numbers.get(FAILED, 0),
        share=done / everything if everything else 1.0,
    )


def by_step(counts: Iterable[Count]) -> dict[str, Counter[int]]:
    """How many items are in each state at each step."""
    found: dict[str, Counter[int]] = {}
    for one in counts:
        if one.state >= WAITING:
            found.setdefault(one.step, Counter())[one.state] += one.number
    return found
