"""Waking: what makes items ready in this process says so at once, and whoever waits for them looks.

    add, or a step's end       wake([First(lane, rank, moment)])
    a run of that step         looks from there on
    the engine                 begins a run of that step, if none goes on

Other processes are not told: whoever waits also looks each second.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from janitor.state.item_changes import First

Listener = Callable[[list[First]], None]
_listeners: list[Listener] = []


def wake(firsts: Iterable[First]) -> None:
    """Tell all who listen what was made ready, after it is committed; a listener may neither wait nor fail."""
    told = list(firsts)
    if told:
        for listener in list(_listeners):
            listener(told)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell a listener too, until the block ends."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
