"""Writing what was done: again if another came in between, and until the state database is back."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import URL, Connection, insert, select

from janitor.errors import Fenced, Rejected, RowRefused, Unavailable
from janitor.items import writing
from janitor.items.writing import RACES, in_turn, written
from janitor.runs import Fence, Run
from janitor.state import State
from janitor.state.item_endings import End
from janitor.state.item_states import DONE
from janitor.state.item_tables import items
from tests.state.pieces import an_end
from tests.state.test_item_tables import row_of


@pytest.fixture
def state(state_url: URL) -> Iterator[State]:
    made = State(state_url)
    yield made
    made.close()


def keys(state: State) -> list[str]:
    with state.read() as connection:
        return list(connection.execute(select(items.c.key).order_by(items.c.key)).scalars())


def put(connection: Connection, *keys: str) -> None:
    connection.execute(insert(items), [row_of(key=key) for key in keys])


def test_what_is_written_is_committed(state: State) -> None:
    assert in_turn(state, (), lambda connection: put(connection, "a")) is None
    assert written(state, Run(), lambda connection, ends: len(ends), [an_end(1, 1)]) == 1
    assert keys(state) == ["a"]


def test_a_race_that_was_lost_is_run_again(state: State) -> None:
    # Given somebody else who adds a key just before this transaction does, twice.
    came: list[int] = []

    def write(connection: Connection) -> int:
        came.append(1)
        put(connection, "before")
        put(connection, "mine" if len(came) > 2 else "theirs")
        return len(came)

    def again(connection: Connection) -> None:
        came.append(1)
        put(connection, "theirs")

    with state.begin() as connection:
        put(connection, "theirs")
    assert in_turn(state, (), write) == 3
    came.clear()
    with pytest.raises(RowRefused):
        in_turn(state, (), again)
    assert len(came) == RACES + 1
    assert keys(state) == ["before", "mine", "theirs"]


def test_what_the_database_refuses_for_good_is_told(state: State) -> None:
    def write(connection: Connection) -> None:
        put(connection, "a")
        raise Rejected("a table is missing")

    acts: list[Callable[[], object]] = [
        lambda: in_turn(state, (), write),
        lambda: written(state, Run(), lambda one, _: write(one), ()),
    ]
    for act in acts:
        with pytest.raises(Rejected, match="missing"):
            act()
    assert keys(state) == []


def test_nothing_is_written_once_the_lease_is_lost(state: State) -> None:
    fence = Fence("job:p.a", 7)
    run = Run(fences={fence.name: fence})
    with pytest.raises(Fenced):
        in_turn(state, [fence], lambda connection: put(connection, "a"))
    with pytest.raises(Fenced):
        written(state, run, lambda connection, ends: put(connection, "a"), [an_end(1, 1)])
    assert keys(state) == []


def test_what_was_done_waits_for_the_state_database(state: State) -> None:
    # Given a state database that is away, and comes back once it was asked for.
    asked = threading.Event()
    state.stop("it is away")

    def come_back() -> None:
        assert asked.wait(30)
        state.stop("")

    def write(connection: Connection, ends: Sequence[End]) -> str:
        put(connection, "a")
        return "written"

    helper = threading.Thread(target=come_back)
    helper.start()
    run = Run()
    with pytest.raises(Unavailable, match="away"):
        written(state, run, write, ())  # what is not done yet does not wait
    asked.set()
    assert written(state, run, write, [an_end(1, 1)]) == "written"
    helper.join(30)
    assert keys(state) == ["a"]


def test_what_waits_too_long_is_told(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "TRY_SECONDS", 0.2)
    monkeypatch.setattr(writing, "PAUSE_SECONDS", 0.02)
    state.stop("it is away")
    with pytest.raises(Unavailable, match="away"):
        written(state, Run(), lambda connection, ends: None, [an_end(1, 1)])


def test_what_the_database_takes_is_kept_without_what_it_refuses(state: State) -> None:
    # Given ends of which one has a result, and another one a log alone. The database takes neither.
    given: list[Sequence[End]] = []

    def write(connection: Connection, ends: Sequence[End]) -> int:
        given.append(ends)
        put(connection, "a")
        if any(end.result or end.log or end.traceback for end in ends):
            raise RowRefused("it is too long")
        return len(ends)

    ends = [an_end(1, 1, result="x" * 9, log="so"), an_end(2, 1, "few filters", log="l"), an_end(3, 1, reason="r")]
    assert written(state, Run(), write, ends) == 3
    first, second, third = given[-1]
    assert (first.state, first.status, first.told, first.result) == (5, "failed", "failed", None)
    assert first.reason == "what it brought cannot be kept: it is too long"
    assert (second.state, second.status, second.log) == (DONE, "few filters", None)
    assert third == ends[2] and keys(state) == ["a"]


def test_only_what_is_refused_loses_its_texts(state: State) -> None:
    # Given many ends with results, of which the database takes all but two. What must hold: the others keep theirs, and
    # what was tried to find the two has left nothing.
    def write(connection: Connection, ends: Sequence[End]) -> Sequence[End]:
        put(connection, *(str(end.item_id) for end in ends))
        if any(end.result == "too long" for end in ends):
            raise RowRefused("it is too long")
        return ends

    ends = [an_end(number, 1, result="too long" if number in (7, 30) else "fine") for number in range(40)]
    found = written(state, Run(), write, ends)
    assert [end.item_id for end in found if end.result is None] == [7, 30]
    assert [end.item_id for end in found if end.status == "failed"] == [7, 30]
    assert len(keys(state)) == 40


def test_what_is_refused_only_together_loses_its_texts(state: State) -> None:
    def write(connection: Connection, ends: Sequence[End]) -> Sequence[End]:
        if sum(end.log is not None for end in ends) > 2:
            raise RowRefused("it is too much")
        return ends

    ends = [an_end(number, 1, log="a line") for number in range(4)]
    assert [end.log for end in written(state, Run(), write, ends)] == [None] * 4


def test_a_server_that_takes_no_writes_for_a_while_takes_nothing_away(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a server that says no twice, as one does that has failed over or whose disk is full for a moment.
    monkeypatch.setattr(writing, "PAUSE_SECONDS", 0.02)
    said: list[str] = []

    def write(connection: Connection, ends: Sequence[End]) -> Sequence[End]:
        if len(said) < 2:
            said.append("no")
            raise Rejected("it does not take writes: it is read-only")
        return ends

    ends = [an_end(1, 1, result="42", log="a line")]
    assert written(state, Run(), write, ends) == ends
    said.clear()
    monkeypatch.setattr(writing, "TRY_SECONDS", 0.0)
    with pytest.raises(Rejected, match="read-only"):
        written(state, Run(), write, ends)


def test_what_is_refused_for_another_reason_is_told(state: State) -> None:
    def write(connection: Connection, ends: Sequence[End]) -> Any:
        raise RowRefused("a key is too long")

    with pytest.raises(RowRefused, match="key"):
        written(state, Run(), write, [an_end(1, 1)])
    with pytest.raises(RowRefused, match="key"):
        written(state, Run(), write, [an_end(1, 1, log="so")])
    assert keys(state) == []
