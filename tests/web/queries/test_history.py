"""Histories: each line once, page by page, narrowed to what is asked for."""

from typing import Any

import pytest

from janitor.errors import BadSetting
from janitor.state import State, actions
from janitor.web.queries import models
from janitor.web.queries.history import Filter, action_list, history_of, run_list
from tests.small_engine import remember
from tests.web.queries.past import MINUTE, NOON, add, ask, clock


def test_pages_of_a_history_hold_each_line_once(state: State) -> None:
    scheduler = clock(state, "a", "b")
    for minute in range(12):
        add(state, "ab"[minute % 2], minute, "failed" if minute in (3, 4) else "succeeded")
    with state.begin() as connection:
        for done_at, job in ((0.5, "a"), (5.5, None), (5.6, "b"), (20, "a")):
            actions.record(connection, "anna", "paused", job, "", NOON + done_at * MINUTE)

    def pages(wanted: Filter, limit: int) -> list[tuple[float, str]]:
        lines, before = list[tuple[float, str]](), None
        while True:
            page: models.History = ask(state, history_of, scheduler.jobs, wanted, limit, before)
            assert len(page.events) <= limit
            lines += [((event.at - NOON) / MINUTE, "run" if event.run else "action") for event in page.events]
            if (before := page.next) is None:
                return lines

    everything: list[tuple[float, str]] = [
        (20.0, "action"),
        *((float(minute), "run") for minute in range(11, 5, -1)),
        (5.6, "action"),
    ]
    everything += [
        (5.5, "action"),
        *((float(minute), "run") for minute in range(5, 0, -1)),
        (0.5, "action"),
        (0.0, "run"),
    ]
    for limit in (1, 3, 50):
        assert pages(Filter(), limit) == everything
    assert pages(Filter("b"), 2) == [line for line in everything if line[0] in (1, 3, 5, 5.6, 7, 9, 11)]
    assert pages(Filter(outcome="failed"), 1) == [(4.0, "run"), (3.0, "run")]
    since, until = NOON + 3 * MINUTE, NOON + 5.6 * MINUTE
    within = [line for line in everything if 3 <= line[0] < 5.6]
    assert pages(Filter(since=since, until=until), 2) == within
    assert pages(Filter("a", "succeeded", "schedule", since, until), 5) == []
    assert pages(Filter("a", "failed", "schedule", since, until), 5) == [(4.0, "run")]
    with pytest.raises(BadSetting, match="before is 'x'"):
        ask(state, history_of, scheduler.jobs, Filter(), 5, "x")


def test_what_was_done_out_of_order_is_in_the_order_of_moments(state: State) -> None:
    # As after a clock was set back. Each action comes once, however many stand on a page.
    with state.begin() as connection:
        for minute in (5, 2, 8, 8, 1):
            actions.record(connection, "anna", "paused", None, "", NOON + minute * MINUTE)
    for limit in (1, 2, 9):
        found, before = list[float](), None
        while True:
            page = ask(state, action_list, Filter(until=NOON + 9 * MINUTE), limit, before)
            found += [(one.at - NOON) / MINUTE for one in page.actions]
            if (before := page.next_before) is None:
                break
        assert found == [8, 8, 5, 2, 1]


def test_lists_of_runs_are_narrowed_and_paged(state: State) -> None:
    scheduler = clock(state, "a", "b")
    ids = [add(state, "ab"[minute % 2], minute, "failed" if minute % 3 else "succeeded") for minute in range(9)]
    by_hand = add(state, "gone", 10, "failed", origin="by_hand", slot_at=None)
    live = add(state, "a", 11, None)
    remember(state, "gone", NOON)

    def listed(*narrowed: Any, limit: int = 50, before: int | None = None) -> tuple[list[int], int | None]:
        found = ask(state, run_list, scheduler.jobs, Filter(*narrowed), limit, before)
        return [line.id for line in found.runs], found.next_before

    failed = [by_hand, *(ids[minute] for minute in (8, 7, 5, 4, 2, 1))]
    assert listed(None, "failed") == (failed, None)
    assert listed(None, "failed", limit=3) == (failed[:3], failed[2])
    assert listed(None, "failed", limit=4, before=failed[2]) == (failed[3:], None)
    assert listed("b", "failed", limit=2) == ([ids[7], ids[5]], ids[5])
    assert listed(None, "running") == ([live], None)
    assert listed(None, None, "by_hand") == ([by_hand], None)
    assert listed(None, "failed", "by_hand") == ([by_hand], None)
    assert listed(None, "missed") == ([], None)
