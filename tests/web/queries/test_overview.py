"""The last 24 hours at a glance."""

import pytest

from janitor.state import State
from janitor.web.queries import overview
from tests.small_engine import job_of, remember
from tests.web.queries.day import look
from tests.web.queries.past import NOON, add


def test_what_failed_within_the_day_is_listed(state: State) -> None:
    add(state, "a", -8 * 60, "failed")
    ids = [add(state, "ab"[minute % 2], minute, ("failed", "timed_out")[minute % 3 > 0]) for minute in range(25)]
    add(state, "a", 30)
    assert [line.id for line in look(state).failed] == ids[:4:-1]


def test_of_many_jobs_the_newest_failures_are_listed(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "FAILED", 3)
    names = [f"job_{number}" for number in range(6)]
    for name in names[1:]:
        remember(state, name, NOON)
    # The first is not on record yet; its failures count as well.
    made = [add(state, name, minute, "failed") for minute, name in enumerate((*names, "job_4", "job_0"))]
    jobs = {name: job_of(print, id=name) for name in names}
    assert [line.id for line in look(state, jobs=jobs).failed] == made[:4:-1]
    made += [add(state, name, 20 + minute, "timed_out") for minute, name in enumerate(names[:2])]
    assert [line.id for line in look(state, jobs=jobs).failed] == [made[9], made[8], made[7]]
