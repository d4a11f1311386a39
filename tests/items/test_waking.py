"""Waking: whoever waits in this process is told at once of what was made ready."""

from janitor.items.waking import listening, wake
from janitor.state.item_changes import First
from tests.state.parcels import NOW

FIRSTS = [First("p.a", 0, NOW), First("p.b", 1, NOW)]


def test_all_who_listen_are_told_of_all() -> None:
    one: list[list[First]] = []
    other: list[list[First]] = []
    wake(FIRSTS)
    with listening(one.append):
        wake(iter(FIRSTS))
        with listening(other.append):
            wake(FIRSTS[:1])
        wake(FIRSTS[1:])
    wake(FIRSTS)
    assert one == [FIRSTS, FIRSTS[:1], FIRSTS[1:]] and other == [FIRSTS[:1]]


def test_nobody_is_told_of_nothing() -> None:
    told: list[list[First]] = []
    with listening(told.append):
        wake([])
    assert told == []


def test_a_listener_may_end_while_others_are_told() -> None:
    told: list[str] = []
    inner = listening(lambda firsts: told.append("inner"))

    def end(firsts: list[First]) -> None:
        told.append("outer")
        inner.__exit__(None, None, None)

    with listening(end):
        inner.__enter__()
        wake(FIRSTS)
        wake(FIRSTS[:0])
        assert told == ["outer", "inner"]


def test_the_same_listener_may_listen_twice() -> None:
    told: list[list[First]] = []
    with listening(told.append):
        with listening(told.append):
            wake(FIRSTS)
        assert len(told) == 2
        wake(FIRSTS)
    assert len(told) == 3
