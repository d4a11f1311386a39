"""Recent runs: the newest of each job or of all, narrowed, and what tells how each job stands.

Given: runs of two jobs, in turn, some failed, some still going on.
What happens: the newest are read, with or without bounds.
What must hold: no record is left out, none comes twice, and the newest comes first.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Row

from janitor.runs import Outcome
from janitor.state import State, actions, job_records, recent
from tests.small_engine import remember, remember_run, rows_of
from tests.state.history import MINUTE, NOW


def ran(state: State, job: str, outcome: str | None = "succeeded", **more: Any) -> int:
    """Put a run into the history, a minute after the run before; its id."""
    at = NOW + len(rows_of(state)) * MINUTE
    remember_run(state, job, more.pop("slot_at", at), outcome, **{"started_at": at, **more})
    return int(rows_of(state)[-1].id)


def ask(state: State, question: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    with state.read() as connection:
        return question(connection, *arguments, **more)


def ids(found: Sequence[Row[Any]]) -> list[int]:
    return [row.id for row in found]


def by_job(found: dict[str, list[Row[Any]]]) -> dict[str, list[int]]:
    return {job: ids(rows) for job, rows in found.items()}


def test_the_newest_of_each_job_come_first(state: State) -> None:
    made = [ran(state, "ab"[number % 2]) for number in range(8)]
    expected = {"a": [made[6], made[4]], "b": [made[7], made[5]]}
    assert by_job(ask(state, recent.newest, ["a", "b", "none"], 2)) == expected
    assert by_job(ask(state, recent.ends, ["a", "b", "none"], 2)) == expected
    row = ask(state, recent.newest, ["a"], 1)["a"][0]
    assert (row.outcome, row.started_at, row.attempts) == ("succeeded", NOW + 6 * MINUTE, 1)


def test_many_jobs_are_asked_in_several_statements(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "TOGETHER", 2)
    made = {job: ran(state, job) for job in "abcde"}
    assert by_job(ask(state, recent.newest, list("abcde"), 5)) == {job: [run_id] for job, run_id in made.items()}
    assert ids(ask(state, recent.with_outcome, list("abcde"), "succeeded", 2)) == [made["e"], made["d"]]


def test_the_latest_of_each_job_on_record_are_told_by_id(state: State) -> None:
    for job in ("a", "b", "new"):
        remember(state, job, NOW)
    failed, late = ran(state, "a", "failed"), ran(state, "a", "timed_out")
    newest = {"a": ran(state, "a", None), "b": ran(state, "b"), "unknown": ran(state, "unknown", "failed")}
    found = {job: (row.newest, row.failed, row.timed_out) for job, row in ask(state, recent.latest).items()}
    assert found == {"a": (newest["a"], failed, late), "b": (newest["b"], None, None), "new": (None, None, None)}


def test_what_changed_are_new_runs_and_those_that_went_on(state: State) -> None:
    assert ask(state, recent.newest_id) == 0
    old, going, known = ran(state, "a"), ran(state, "a", None), ran(state, "b")
    assert ask(state, recent.newest_id) == known
    assert ids(ask(state, recent.live)) == [going]
    new = ran(state, "b", None)
    assert ids(ask(state, recent.changed, known, [going])) == [going, new]
    assert ids(ask(state, recent.changed, 0, [])) == [old, going, known, new]


def test_runs_with_an_outcome_are_narrowed_by_bounds(state: State) -> None:
    failed = [ran(state, "ab"[number % 2], "failed") for number in range(6)]
    by_hand = ran(state, "a", "failed", origin="by_hand", slot_at=None)
    ran(state, "a", "succeeded")
    ran(state, "elsewhere", "failed")

    def found(limit: int = 9, **bounds: Any) -> list[int]:
        return ids(ask(state, recent.with_outcome, ["a", "b"], "failed", limit, **bounds))

    assert found() == [by_hand, *reversed(failed)]
    assert found(limit=2) == [by_hand, failed[5]]
    assert found(before=failed[2]) == [failed[1], failed[0]]
    assert found(since=NOW + 2 * MINUTE, until=NOW + 4 * MINUTE) == [failed[3], failed[2]]
    assert found(origin="by_hand", before=None) == [by_hand]
    assert ids(ask(state, recent.by_hand, ["a", "b"], 9)) == [by_hand]
    assert ids(ask(state, recent.by_hand, ["b"], 9)) == []


def test_a_list_of_all_runs_has_the_lost_slots_too(state: State) -> None:
    run, slot, going = ran(state, "a"), ran(state, "a", "missed", attempts=0), ran(state, "b", None)
    assert ids(ask(state, recent.of_any, None, 9)) == [going, slot, run]
    assert ids(ask(state, recent.of_any, "a", 1)) == [slot]
    assert ids(ask(state, recent.of_any, None, 9, ids=[run, going], until=NOW + MINUTE)) == [run]


def test_of_many_jobs_those_with_the_newest_runs_are_asked(state: State) -> None:
    # Given: more jobs than runs are wanted, one of them not on record. What must hold: the newest are those of a list
    # of all, whatever bounds there are; each job may have several of them, or none.
    names = [f"job {number}" for number in range(7)]
    for name in names[:-1]:
        remember(state, name, NOW)
    made = [(ran(state, names[number % 5 if number < 12 else 6], "failed"), number) for number in range(15)]
    made += [(ran(state, names[0], "failed", origin="by_hand", slot_at=None), 15), (ran(state, names[1]), 16)]
    failed = [run for run, number in made if number < 16]
    for limit in (1, 2, 3, 6, 20):
        for before in (None, failed[9], failed[2]):
            expected = [run for run in reversed(failed) if before is None or run < before][:limit]
            assert ids(ask(state, recent.with_outcome, names, "failed", limit, before=before)) == expected
    assert ids(ask(state, recent.with_outcome, names, "failed", 3, until=NOW + 5 * MINUTE)) == failed[4:1:-1]
    assert ids(ask(state, recent.by_hand, names, 3)) == [failed[15]]
    assert ids(ask(state, recent.with_outcome, names[:5], "failed", 2)) == [failed[15], failed[11]]


def test_a_page_between_two_moments_begins_where_the_last_ended(state: State) -> None:
    # Given: runs of which one began before the run before it, as after a clock was set back, and two at once.
    # What happens: those of an hour are read in pages of one. What must hold: each comes once, what began last first.
    first, second = ran(state, "a"), ran(state, "a")
    back, third, twin = (ran(state, "a", started_at=NOW + minutes * MINUTE) for minutes in (-5, 2, 2))
    ran(state, "a", started_at=NOW + 90 * MINUTE)
    found, before = list[int](), None
    bounds = {"since": NOW - 30 * MINUTE, "until": NOW + 30 * MINUTE}
    while page := ids(ask(state, recent.of_any, None, 1, before=before, **bounds)):
        found, before = found + page, page[-1]
    assert found == [twin, third, second, first, back]
    assert ids(ask(state, recent.of_any, None, 9, before=10**9, **bounds)) == found
    assert ids(ask(state, recent.of_any, None, 9, until=NOW, before=None)) == [back]


def test_a_long_reason_is_cut_in_a_list(state: State) -> None:
    ran(state, "a", "failed", reason="ä" * 5_000, traceback="not read", progress="not read")
    (row,) = ask(state, recent.of_any, "a", 9)
    assert row.reason == "ä" * recent.CUT
    assert not {"traceback", "progress", "holder"} & set(row._fields)


def test_the_last_success_is_of_a_real_run(state: State) -> None:
    success = ran(state, "a")
    ran(state, "a", "failed")
    ran(state, "a", dry_run=True)
    ran(state, "a", "skipped", attempts=0)
    assert ask(state, recent.last_with, ["a", "b"], Outcome.SUCCEEDED) == {"a": success}
    assert ask(state, recent.last_with, ["a", "b"], Outcome.SKIPPED) == {}


def test_the_last_ended_run_is_the_newest_of_any_outcome(state: State) -> None:
    for job in ("a", "b"):
        remember(state, job, NOW)
    for number, outcome in enumerate(("failed", "succeeded", "timed_out", "cancelled", None)):
        ran(state, "a", outcome, ended_at=NOW + number * MINUTE, seconds=float(number))
    failed = ran(state, "b", "failed")
    ran(state, "b", "succeeded", dry_run=True)
    found = ask(state, recent.last_ended, recent.COMPLETED)
    assert {job: (row.outcome, row.seconds) for job, row in found.items()} == {
        "a": ("timed_out", 2.0),
        "b": ("failed", None),
    }
    assert found["b"].id == failed
    assert list(ask(state, recent.last_ended, (Outcome.SUCCEEDED,))) == ["a"]


def test_the_newest_sign_of_life_of_a_job_counts(state: State) -> None:
    # Given a job that was resumed, then ran and found nothing to do; and a job that is paused.
    # The signs of life are read, and again after another resumption.
    # The later of both moments counts, and a paused job's skip does not.
    for job in ("a", "paused"):
        remember(state, job, NOW)
    resume(state, "a", 0)
    for job in ("a", "paused"):
        ran(state, job, "skipped", ended_at=NOW + 5 * MINUTE)
    with state.begin() as connection:
        job_records.pause(connection, "paused", "x", NOW, "anna")
    assert ask(state, recent.signs_of_life) == {"a": NOW + 5 * MINUTE}
    resume(state, "a", 9)
    resume(state, "a", 7)
    assert ask(state, recent.signs_of_life) == {"a": NOW + 9 * MINUTE}


def resume(state: State, job: str, minute: int) -> None:
    """Remember that somebody resumed a job."""
    with state.begin() as connection:
        actions.record(connection, "anna", "resumed", job, "", NOW + minute * MINUTE)


@pytest.mark.parametrize(
    "more",
    [{"dry_run": True}, {"attempts": 0}, {"job": "b"}],
    ids=["dry run", "slot without a run", "another job"],
)
def test_not_every_skip_is_a_sign_of_life(state: State, more: dict[str, Any]) -> None:
    remember(state, "a", NOW)
    ran(state, **{"job": "a", "outcome": "skipped", "ended_at": NOW, **more})
    assert ask(state, recent.signs_of_life) == {}
    ran(state, "a", "skipped", ended_at=NOW)
    ran(state, "a")
    assert ask(state, recent.signs_of_life) == {}
