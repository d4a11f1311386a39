"""The verb `start`: the daemon runs jobs until it is stopped, or does not start and says why."""

import re
import signal

from tests.command_line import CommandLine, wait_for
from tests.verbs.house import recorded


def test_a_start_without_a_needed_setting_is_refused(janitor: CommandLine) -> None:
    ended = janitor("start", LABWHERE_DATABASE_URL="sqlite:///labwhere.db", MLWH_DATABASE_URL="sqlite:///mlwh.db")
    assert ended.code == 2
    assert ended.err.startswith(
        "janitor: MLWH_EVENTS_DATABASE_URL is missing: sequencing_publisher and sequencing_publisher_reconcile need it "
        "(SEQUENCING_PUBLISHER_ENABLED=false and SEQUENCING_PUBLISHER_RECONCILE_ENABLED=false would do without)"
    )


def test_a_start_on_a_damaged_state_database_says_so(house: CommandLine) -> None:
    (house.folder / "state.db").write_text("this is no database, but it is long enough to be looked at" * 20)
    ended = house("start", STATE_DATABASE_URL="sqlite:///state.db")
    assert ended.code == 1
    assert "janitor: state.db is not a SQLite database" in ended.err and "Traceback" not in ended.out + ended.err


def test_start_runs_jobs_until_sigterm(house: CommandLine) -> None:
    with house.started("start", COUNT_SCHEDULE="every 1s", NOPE_ENABLED="false") as process:
        wait_for(lambda: recorded(house, "SELECT 1 FROM runs WHERE outcome = 'succeeded'"))
        healthy, jobs, history = house("health"), house("jobs"), house("history", "count")
        refused = house("start", HISTORY_DAYS="0")
        ended = house.stopped(process)
    assert ended.code == 0 and ended.err == ""
    assert re.search(r"INFO janitor Janitor \d+\.\d+\.\d+\S* starts, its state is in var/janitor.db", ended.out)
    assert "NOPE_ENABLED is set, and there is no job nope" in ended.out
    assert healthy.code == 0 and re.match(r"healthy: the clock ticked \d+ s ago", healthy.out)
    assert jobs.rows[0]["last_outcome"] in ("succeeded", "running", "skipped") and "succeeded" in {
        row["outcome"] for row in history.rows
    }
    assert refused.code == 2
    assert recorded(house, "SELECT 1 FROM runs WHERE outcome IS NULL") == []


def test_no_verb_means_start(house: CommandLine) -> None:
    with house.started() as process:
        house.heard(process, "leading with")
        ended = house.stopped(process, signal.SIGINT)
    assert ended.code == 0 and "stopped" in ended.lines[-1]


def test_a_paused_job_is_skipped_by_the_daemon(house: CommandLine) -> None:
    house("pause", "count")
    with house.started("start", COUNT_SCHEDULE="every 1s") as process:
        wait_for(lambda: recorded(house, "SELECT 1 FROM runs WHERE outcome = 'skipped' AND reason = 'paused'"))
        assert house("run", "count").code == 0
        house.stopped(process)
    query = "SELECT outcome FROM runs WHERE job = 'count' AND slot_at IS NOT NULL AND outcome = 'succeeded'"
    assert recorded(house, query) == []
