"""Descriptions: each is written until a run with it is on record, and never again."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import URL, event, select

from janitor.engine.descriptions import Descriptions
from janitor.jobs import Job
from janitor.logs.mask import Mask
from janitor.state import State
from janitor.state.tables import configs
from tests.small_engine import job_of, migrated


@pytest.fixture
def state(lite_url: URL) -> Iterator[State]:
    made = migrated(lite_url)
    yield made
    made.close()


def keep(state: State, descriptions: Descriptions, job: Job) -> tuple[bytes, int]:
    """Keep a job's description; its digest, and how many statements that took."""
    sent: list[str] = []
    with state.begin() as connection:
        event.listen(connection, "before_cursor_execute", lambda *given: sent.append(given[2]))
        return descriptions.keep(connection, job), len(sent)


def on_record(state: State) -> dict[bytes, str]:
    with state.read() as connection:
        return {row.digest: row.content for row in connection.execute(select(configs))}


def test_a_description_is_kept_without_secrets(state: State) -> None:
    descriptions = Descriptions(Mask(["very-secret"]))
    digest, _ = keep(state, descriptions, job_of(print, "very-secret", notes="Prints."))
    (found,) = on_record(state).items()
    assert found[0] == digest
    assert '"args": ["***"]' in found[1] and '"notes": "Prints."' in found[1]


def test_a_description_is_written_until_a_run_is_on_record(state: State) -> None:
    # Given a job whose first run is not on record: its transaction may have been rolled back.
    # The description is written with each run. Once a run is on record, it is not written any more.
    descriptions, job = Descriptions(Mask()), job_of(print)
    digest, _ = keep(state, descriptions, job)
    assert keep(state, descriptions, job) == (digest, 1)
    descriptions.is_kept(job)
    assert keep(state, descriptions, job) == (digest, 0)
    assert list(on_record(state)) == [digest]


def test_a_job_that_changed_is_described_anew(state: State) -> None:
    descriptions, job = Descriptions(Mask()), job_of(print)
    first, _ = keep(state, descriptions, job)
    descriptions.is_kept(job)
    changed = replace(job, timeout=7.0)
    second, statements = keep(state, descriptions, changed)
    assert second != first and statements == 1 and set(on_record(state)) == {first, second}


def test_a_run_of_the_old_job_does_not_count_for_the_new(state: State) -> None:
    # Given a job that is replaced while a run of it begins. The run is on record after the change.
    # The new job's description must still be written: only the old job's is on record.
    descriptions, job = Descriptions(Mask()), job_of(print)
    keep(state, descriptions, job)
    changed = replace(job, timeout=7.0)
    keep(state, descriptions, changed)
    descriptions.is_kept(job)
    assert keep(state, descriptions, changed)[1] == 1
