"""One run from its recorded start to its recorded end."""

import json
import logging
from pathlib import Path

from sqlalchemy import URL, select

from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.runs import current_run
from janitor.state import leases
from janitor.state.run_records import BY_HAND
from janitor.state.tables import jobs as job_rows
from tests.small_engine import job_of, lines_of, now, rows_of, run_by_hand, runner_for, settings_for

log = logging.getLogger("some.library")


def test_a_run_is_on_record_while_it_goes_on(runner: Runner) -> None:
    seen = []

    def task() -> dict[str, int]:
        row = rows_of(runner.state)[0]
        seen.append((row.id, row.job, row.outcome, row.ended_at))
        log.info("halfway")
        return {"rows": 3}

    slot = now().replace(microsecond=250_000)
    finished = runner.execute(job_of(task, id="nightly"), Slot(slot))
    assert finished is not None and seen == [(finished[0], "nightly", None, None)]
    row = rows_of(runner.state)[0]
    assert (row.outcome, row.reason, row.traceback, row.origin) == ("succeeded", None, None, "schedule")
    assert (row.slot_at, row.slot_until_at, row.slots, row.attempts) == (slot, slot, 1, 1)
    assert row.ended_at >= row.started_at and json.loads(row.counts) == {"rows": 3}
    assert lines_of(runner.state, row.id) == ["halfway"]
    with runner.state.begin() as connection:
        assert leases.holder_of(connection, "job:nightly") is None


def test_passwords_are_masked_in_what_is_recorded(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    settings = settings_for(url, tmp_path, RABBITMQ_PASSWORD="very-secret")
    with runner_for(settings) as runner:

        def task() -> None:
            log.info("with very-secret")
            raise ValueError("the password very-secret is wrong")

        run_id, _ = run_by_hand(runner, task)
        row = rows_of(runner.state)[0]
        assert row.reason == "ValueError: the password *** is wrong"
        assert lines_of(runner.state, run_id) == ["with ***"]
        assert "very-secret" not in row.traceback.replace('raise ValueError("the password very-secret is wrong")', "")


def test_a_dry_run_says_so_everywhere(lite: Runner) -> None:
    seen = []
    lite.execute(job_of(lambda: seen.append(current_run().dry_run)), Slot(None, BY_HAND), dry_run=True)
    assert seen == [True] and rows_of(lite.state)[0].dry_run is True
    with lite.state.begin() as connection:
        assert connection.execute(select(job_rows)).all() == []
