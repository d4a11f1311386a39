"""Counts: changes are added as rows, and summed up now and then; snapshots keep them as they were."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, insert, select

from janitor.state import State, item_counts
from janitor.state.item_counts import EVER, MOST_ROWS, OF_ITEMS, Changes, Count
from janitor.state.item_states import DONE, OPEN, PROCESSING, READY
from janitor.state.item_tables import item_counts as count_rows
from tests.state.parcels import NOW, add, end
from tests.state.pieces import DIAMOND, Meanwhile, check_counts, plan_of, took


def changed(state: State, changes: Changes) -> None:
    with state.begin() as connection:
        changes.write(connection)


def read(state: State, pipeline: str | None = "p") -> list[Count]:
    with state.read() as connection:
        return item_counts.read(connection, pipeline)


def rows(state: State, pipeline: str = "p") -> int:
    with state.read() as connection:
        query = select(func.count()).where(count_rows.c.pipeline == pipeline)
        return int(connection.execute(query).scalar_one())


def summed_up(state: State, pipeline: str = "p") -> int:
    with state.begin() as connection:
        return item_counts.sum_up(connection, pipeline)


def test_counts_are_the_sum_of_all_changes(state: State) -> None:
    first = Changes("p")
    first.add("a", READY, "not processed", 3)
    first.move("a", (READY, "not processed"), (PROCESSING, "processing"))
    first.move("a", (READY, "not processed"), (READY, "not processed"), 9)
    first.tried("a", "failed", 1.5)
    first.tried("a", "failed", 2.5)
    changed(state, first)
    second = Changes("p")
    second.move("a", (PROCESSING, "processing"), (DONE, "processed"))
    second.tried("a", "failed", 1.0)
    changed(state, second)
    changed(state, Changes("p"))
    assert read(state) == [
        Count("p", "a", EVER, "failed", 3, 5.0),
        Count("p", "a", READY, "not processed", 2),
        Count("p", "a", DONE, "processed", 1),
    ]


def test_each_pipeline_has_its_counts(state: State) -> None:
    for name, number in (("p", 1), ("q", 2)):
        changes = Changes(name)
        changes.add(OF_ITEMS, OPEN, "open", number)
        changed(state, changes)
    assert [(one.pipeline, one.number) for one in read(state, None)] == [("p", 1), ("q", 2)]
    assert [one.number for one in read(state, "q")] == [2] and read(state, "other") == []


def test_many_rows_become_one_for_each_status(state: State) -> None:
    # Given as many rows as may be, and one more. Those of another pipeline stay as they are.
    made = {"step": "a", "seconds": 0.25, "status": "processed", "number": 1}
    values = [{**made, "pipeline": "p", "state": EVER if at % 2 else DONE} for at in range(MOST_ROWS)]
    with state.begin() as connection:
        connection.execute(insert(count_rows), [*values, {**made, "pipeline": "q", "state": DONE}])
    assert summed_up(state) == 0 and rows(state) == MOST_ROWS
    empty = Changes("p")
    empty.add("gone", READY, "not processed", 1)
    changed(state, empty)
    empty = Changes("p")
    empty.add("gone", READY, "not processed", -1)
    changed(state, empty)
    before = read(state)
    assert summed_up(state) == MOST_ROWS + 2
    assert rows(state) == 2 and rows(state, "q") == 1
    assert (
        read(state)
        == before
        == [
            Count("p", "a", EVER, "processed", MOST_ROWS // 2, MOST_ROWS / 8),
            Count("p", "a", DONE, "processed", MOST_ROWS // 2, MOST_ROWS / 8),
        ]
    )


def test_what_is_counted_while_rows_are_summed_up_is_not_lost(state: State) -> None:
    with state.begin() as connection:
        made = {"pipeline": "p", "step": "a", "state": DONE, "status": "processed", "number": 1, "seconds": 0.0}
        connection.execute(insert(count_rows), [made] * (MOST_ROWS + 1))

    def count(connection: Connection) -> None:
        changes = Changes("p")
        changes.add("a", DONE, "processed", 7)
        changes.write(connection)

    with Meanwhile(state, lambda connection: item_counts.sum_up(connection, "p")) as other, state.begin() as connection:
        count(connection)
        other.begin()
    with Meanwhile(state, count) as other, state.begin() as connection:
        item_counts.sum_up(connection, "p")
        other.begin()
    assert [one.number for one in read(state)] == [MOST_ROWS + 1 + 14]


def test_counts_of_real_items_are_what_their_rows_say(state: State) -> None:
    plan = plan_of(DIAMOND, "mail")
    ids = add(state, *(str(n) for n in range(200)), plan=plan)
    for item in ids[:60]:
        for step in ("cut", "left"):
            end(state, step, item, plan=plan)
    assert rows(state) > MOST_ROWS
    before = check_counts(state)
    assert summed_up(state) > MOST_ROWS and rows(state) < 20
    assert check_counts(state) == before
    took(state, plan, "cut", *ids[60:70])
    assert check_counts(state)["cut", PROCESSING, "processing"] == 10


@pytest.mark.parametrize("since", [0, 1, 2])
def test_counts_are_kept_as_they_were(state: State, since: int) -> None:
    hour = timedelta(hours=1)
    for at in range(2):
        changes = Changes("p")
        changes.add("a", READY, "höhle \U0001f40c", at + 1)
        changed(state, changes)
        with state.begin() as connection:
            item_counts.save_snapshot(connection, "p", NOW + at * hour)
            item_counts.save_snapshot(connection, "q", NOW + at * hour)
    with state.read() as connection:
        found = item_counts.snapshots(connection, "p", NOW + since * hour)
        assert item_counts.newest_snapshot(connection, "p") == NOW + hour
        assert item_counts.newest_snapshot(connection, "other") is None
        assert [counts for _, counts in item_counts.snapshots(connection, "q", NOW)] == [[], []]
    wanted = [
        (NOW + at * hour, [Count("p", "a", READY, "höhle \U0001f40c", number)]) for at, number in ((0, 1), (1, 3))
    ]
    assert found == wanted[since:]


def test_single_snapshots_are_forgotten(state: State) -> None:
    moments = [NOW + timedelta(hours=at) for at in range(4)]
    with state.begin() as connection:
        for pipeline in ("p", "q"):
            for moment in moments:
                item_counts.save_snapshot(connection, pipeline, moment)
        item_counts.drop_snapshots(connection, "p", moments[1:3])
        item_counts.drop_snapshots(connection, "p", [])
    with state.read() as connection:
        assert [at for at, _ in item_counts.snapshots(connection, "p", NOW)] == [moments[0], moments[3]]
        assert len(item_counts.snapshots(connection, "q", NOW)) == 4


def test_counts_of_a_step_are_summed_by_state() -> None:
    counts = [
        Count("p", "a", DONE, "processed", 2),
        Count("p", "a", DONE, "few filters", 3),
        Count("p", "a", READY, "not processed", 1),
        Count("p", "b", DONE, "processed", 9),
    ]
    assert item_counts.by_state(counts, "a") == {DONE: 5, READY: 1}
