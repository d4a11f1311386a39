"""Builds: what a run used, and the standings that follow from a history.

Given: runs of jobs, with the runs that each of them used.
What happens: the standing of a job is read.
What must hold: dry runs and slots without a run do not count, and an interrupted run leaves its work to do.
"""

from typing import Any

import pytest

from janitor.jobs.standings import Build, Standing
from janitor.state import State, builds
from tests.small_engine import remember_run, rows_of
from tests.state.history import MINUTE, NOW


def ran(state: State, job: str, outcome: str | None, used: dict[str, int] | None = None, **more: Any) -> int:
    """Put a run into the history, at a slot of its own; its id."""
    remember_run(state, job, NOW + len(rows_of(state)) * MINUTE, outcome, **more)
    run_id = int(rows_of(state)[-1].id)
    with state.begin() as connection:
        builds.add_uses(connection, run_id, used or {})
    return run_id


def standing(state: State, job: str) -> Standing:
    with state.read() as connection:
        return builds.standings(connection, [job])[job]


def test_a_job_without_runs_has_an_empty_standing(state: State) -> None:
    ran(state, "other", "succeeded")
    assert standing(state, "a") == Standing()


def test_a_standing_tells_which_runs_were_used(state: State) -> None:
    source = ran(state, "source", "succeeded")
    success = ran(state, "a", "succeeded", {"source": source})
    skip = ran(state, "a", "skipped", {"source": source})
    failure = ran(state, "a", "failed")
    going = ran(state, "a", None, {"source": source})
    assert standing(state, "a") == Standing(
        success=success,
        current=Build(skip, used={"source": source}),
        newest=Build(going, None, {"source": source}),
        running=going,
    )
    assert failure < going


def test_a_success_after_a_skip_is_current(state: State) -> None:
    ran(state, "a", "skipped")
    success = ran(state, "a", "succeeded")
    assert standing(state, "a").current == Build(success)


@pytest.mark.parametrize(
    ("outcome", "more"),
    [("succeeded", {"dry_run": True}), ("skipped", {"attempts": 0}), ("missed", {"attempts": 0})],
    ids=["dry run", "skipped slot", "missed slot"],
)
def test_what_is_no_real_run_changes_no_standing(state: State, outcome: str, more: dict[str, Any]) -> None:
    success = ran(state, "a", "succeeded")
    before = standing(state, "a")
    ran(state, "a", outcome, **more)
    assert standing(state, "a") == before
    assert before.newest == Build(success, "succeeded")


def test_an_interrupted_run_is_not_the_newest(state: State) -> None:
    failure = ran(state, "a", "failed")
    ran(state, "a", "interrupted")
    assert standing(state, "a") == Standing(newest=Build(failure, "failed"))


def test_uses_are_read_for_many_runs(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "TOGETHER", 2)
    ids = [ran(state, "a", "succeeded", {"source": number, "more": 9}) for number in range(1, 6)]
    without = ran(state, "a", "succeeded")
    with state.read() as connection:
        found = builds.uses(connection, [*ids, without, 0])
    assert found == {run_id: {"source": number, "more": 9} for number, run_id in enumerate(ids, start=1)}


def test_the_newest_users_of_a_run_come_first(state: State) -> None:
    source, other = ran(state, "source", "succeeded"), ran(state, "source", "succeeded")
    users = [ran(state, job, "failed", {"source": source}) for job in ("a", "b", "c")]
    ran(state, "d", "failed", {"source": other})
    with state.read() as connection:
        assert builds.used_by(connection, source, limit=2) == [(users[2], "c"), (users[1], "b")]
