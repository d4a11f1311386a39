"""The vital signs: what the state database knows, read in one go."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, text

from janitor.feeds import position_after
from janitor.scheduler import Scheduler
from janitor.state import cursors, ledger, memories, quarantine
from janitor.state.quarantine import Quarantined
from janitor.state.tables import SCHEMA_VERSION
from janitor.web.desk import Desk
from janitor.web.metrics.vitals import Vitals
from tests.small_engine import empty_state, now, remember, remember_run, runner_for, settings_for
from tests.web.desks import add_jobs

PATIENCE_SECONDS = 30.0


@pytest.fixture(params=["sqlite"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    settings = settings_for(empty_state(request, tmp_path), tmp_path)
    scheduler = Scheduler(settings)
    add_jobs(scheduler)
    with runner_for(settings) as runner:
        yield Desk(scheduler.daemon(runner))


def test_only_runs_of_other_processes_go_on_elsewhere(desk: Desk) -> None:
    remember_run(desk.state, "follow", now(), None, holder=desk.runner.holder)
    remember_run(desk.state, "fail", now(), None, holder="lab-2|boot|pid|4711|1|abc")
    remember(desk.state, "reconcile", now())
    remember_run(desk.state, "reconcile", now(), counts='{"missing": 2}', ended_at=now())
    signs = Vitals(desk).signs.get(PATIENCE_SECONDS).value
    assert signs is not None and signs.elsewhere == {"fail"}
    assert signs.counts == {"reconcile": {"missing": 2}} and set(signs.completions) == set(signs.successes)


def test_a_position_that_did_not_move_is_not_read_again(desk: Desk) -> None:
    with desk.state.begin() as connection:
        cursors.save(connection, "follow", position_after("41"), now(), 1)
        cursors.save(connection, "own", "page 7", now(), 1)
    asked: list[str] = []
    event.listen(desk.state._reader, "before_cursor_execute", lambda *given: asked.append(given[2]))
    vitals = Vitals(desk)
    assert (vitals._read_signs().tops, vitals._read_signs().tops) == ({"follow": 41}, {"follow": 41})
    assert sum("SELECT cursors.position" in statement for statement in asked) == 2


def test_another_release_s_schema_is_a_failure(desk: Desk) -> None:
    assert Vitals(desk).schema.get(PATIENCE_SECONDS).value == SCHEMA_VERSION
    with desk.state.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    answer = Vitals(desk).schema.get(PATIENCE_SECONDS)
    says = f"the state database has schema 9999, and this release works with {SCHEMA_VERSION}"
    assert (answer.value, answer.failure) == (None, says)


def test_what_a_task_remembers_is_told_of_the_job_that_owns_it(desk: Desk) -> None:
    """Given a task's cursor, ledger and quarantine under a name that is no job's id, noted by two of its jobs.

    The first of these jobs has them; what no job knows keeps its name.
    """
    with desk.state.begin() as connection:
        for job in ("reconcile", "follow"):
            memories.remember(connection, job, "task")
        cursors.save(connection, "task", position_after("41"), now(), 1)
        for name in ("task", "nobody's"):
            quarantine.put(connection, name, [Quarantined("DN1", "no user")], now(), 1)
            ledger.enter(connection, name, {bytes(16): bytes(16)}, now())
    vitals = Vitals(desk)
    signs = vitals.signs.get(PATIENCE_SECONDS).value
    assert signs is not None and (signs.tops, signs.quarantined) == ({"follow": 41}, {"follow": 1, "nobody's": 1})
    assert vitals.ledger.get(PATIENCE_SECONDS).value == {"follow": 1, "nobody's": 1}
