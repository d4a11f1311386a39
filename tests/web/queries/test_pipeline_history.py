"""The history of a pipeline's counts: few moments, however many snapshots there are."""

import json
from datetime import datetime, timedelta

from sqlalchemy import insert

from janitor.state import State
from janitor.state.item_states import DONE, FAILED, OPEN, READY
from janitor.state.item_tables import item_snapshots
from janitor.web.queries.pipeline_history import part_of, pipeline_history
from tests.state.parcels import NOW, PLAN
from tests.web.queries.past import ask

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def keep(state: State, *moments: datetime, pipeline: str = PLAN.pipeline) -> None:
    """Keep snapshots, each with as many open items as minutes before NOW."""
    rows = []
    for at in moments:
        number = int((NOW - at) / MINUTE)
        content = [["", OPEN, "open", number, 0.0], ["", DONE, "done", 2, 0.0], ["", FAILED, "failed", 3, 0.0]]
        content += [["fetch", READY, "not processed", number, 0.0], ["gone", READY, "not processed", 7, 0.0]]
        rows.append({"pipeline": pipeline, "at": at, "content": json.dumps(content)})
    with state.begin() as connection:
        connection.execute(insert(item_snapshots), rows)


def test_the_last_snapshot_of_each_part_is_told(state: State) -> None:
    # Given a snapshot each minute of two hours. What happens: the last hour is asked for, in four parts.
    # What must hold: the last of each quarter is told, and those of the hour before and of others are not.
    keep(state, *(NOW - minute * MINUTE for minute in range(1, 120)))
    keep(state, NOW - MINUTE / 2, pipeline="others")
    found = ask(state, pipeline_history, PLAN, NOW - HOUR, NOW, 4).moments
    assert [one.open for one in found] == [46, 31, 16, 1]
    assert [(one.done, one.failed) for one in found] == [(2, 3)] * 4
    assert found[0].at == NOW - 46 * MINUTE


def test_each_step_has_its_progress_if_it_is_asked_for(state: State) -> None:
    keep(state, NOW - 5 * MINUTE)
    [moment] = ask(state, pipeline_history, PLAN, NOW - HOUR, NOW, 10).moments
    assert list(moment.steps) == ["fetch", "match", "count"]
    assert (moment.steps["fetch"].waiting, moment.steps["match"].all) == (5, 0)
    [bare] = ask(state, pipeline_history, PLAN, NOW - HOUR, NOW, 10, with_steps=False).moments
    assert (bare.steps, bare.open) == ({}, 5)


def test_parts_without_a_snapshot_have_no_moment(state: State) -> None:
    assert ask(state, pipeline_history, PLAN, NOW - HOUR, NOW, 10).moments == []
    keep(state, NOW - HOUR, NOW)
    assert [one.open for one in ask(state, pipeline_history, PLAN, NOW - HOUR, NOW, 10).moments] == [60, 0]


def test_both_ends_lie_within_a_part() -> None:
    assert [part_of(NOW + minutes * MINUTE, NOW, NOW + HOUR, 6) for minutes in (-9, 0, 9, 10, 59, 60, 99)] == [
        0, 0, 0, 1, 5, 5, 5,
    ]  # fmt: skip
