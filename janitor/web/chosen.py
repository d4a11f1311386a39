"""Which items a request means: one by its key, or those that filters choose, as far as a request may change so many."""

from collections.abc import Sequence
from dataclasses import replace

from janitor.errors import BadSetting, JanitorError
from janitor.items.adding import plan_of
from janitor.operations import items as operations
from janitor.operations.items import Chosen
from janitor.state import State, item_search
from janitor.state.item_search import Wanted

MOST = 10_000
"""So many items a request may change: whoever asks for it waits until it is done."""
TO_RETRY = ("failed", "later")
"""The states in which a step can be tried again."""


class TooMany(JanitorError):
    """Raised when more items are meant than a request may change, or than whoever asks for it has seen."""


def by_filter(state: State, wanted: Wanted, most: int = MOST, with_steps_in: Sequence[str] = ()) -> Chosen:
    """Choose the items for which `wanted` is so.

    If it asks for no state and no status, they must have a step in one of the states `with_steps_in`, if any are given.

    Raises:
        BadSetting: there is no such pipeline, step or state; or nothing at all is asked for.
        TooMany: they are more than `most`.
    """
    asked = [wanted]
    if with_steps_in and wanted.state is None and wanted.status is None:
        asked = _with_steps_in(state, wanted, with_steps_in)
    elif wanted.is_whole:
        raise BadSetting("the items", None, "give a key, or a filter such as the state failed; the key * is all items")
    elif wanted.has_lone_step:
        raise BadSetting("the step", wanted.step, "give a state or a status with it: all items have the step")
    with state.read() as connection:
        number = sum(item_search.count(connection, one, MOST + 1) for one in asked)
    if number > MOST:
        raise TooMany(
            f"these are more than {MOST:,} items, and a request changes no more: narrow the filters, or use the "
            "command line"
        )
    chosen = operations.by_filter(state, *asked)
    if len(chosen.ids) > most:
        raise TooMany(f"{len(chosen.ids):,} items are meant now, and {most:,} were: look at them again")
    return chosen


def _with_steps_in(state: State, wanted: Wanted, states: Sequence[str]) -> list[Wanted]:
    with state.read() as connection:
        plan = plan_of(connection, wanted.pipeline)
    names = [step.name for step in plan.steps] if wanted.step is None else [wanted.step]
    return [replace(wanted, step=name, state=one) for name in names for one in states]
