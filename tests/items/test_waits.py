"""Since when items wait at steps, as far as the schedules of the steps let them be taken."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from janitor.items import waits
from janitor.jobs import Job
from janitor.jobs.schedules import parse
from janitor.jobs.with_work import Paced, Work
from janitor.state import State
from tests.small_engine import DATABASES, empty_state, job_of, migrated
from tests.state.parcels import NOW, SECOND, add

HOUR = timedelta(hours=1)
FETCH = replace(job_of(print, id="parcels.fetch", work=Work("step", "parcels")), trigger=Paced())


@pytest.fixture(params=DATABASES)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    made = migrated(empty_state(request, tmp_path))
    yield made
    made.close()


def waiting(state: State, job: Job, at: datetime, **after: datetime) -> datetime | None:
    """Since when items wait at a step."""
    with state.read() as connection:
        found = waits.of_steps(connection, [job, job_of(print, id="copy")], at, {job.id: one for one in after.values()})
    assert set(found) <= {job.id}
    return found.get(job.id)


def scheduled(text: str) -> Job:
    """The step with a schedule."""
    trigger = parse(text, timezone.utc, "a test")
    return replace(FETCH, trigger=trigger if text == "by hand" else Paced(text, trigger))


def test_what_is_ready_waits_as_far_as_it_may_be_taken(state: State) -> None:
    assert waiting(state, FETCH, NOW + HOUR) is None
    add(state, "a")
    assert waiting(state, FETCH, NOW + HOUR) == NOW
    assert waiting(state, FETCH, NOW + HOUR, resumed_at=NOW + 60 * SECOND) == NOW + 60 * SECOND
    assert waiting(state, FETCH, NOW + HOUR, resumed_at=NOW - HOUR) == NOW
    at_two = scheduled("cron 0 14 * * *")
    assert waiting(state, at_two, NOW + HOUR) is None
    assert waiting(state, at_two, NOW + 3 * HOUR) == NOW + 2 * HOUR
    assert waiting(state, scheduled("by hand"), NOW + 99 * HOUR) is None
    # An inbox takes no items.
    assert waiting(state, replace(FETCH, work=Work("inbox", "parcels")), NOW + HOUR) is None
