"""A whole daemon whose every loop raises at random: nothing stands still, nothing is lost, and people are told."""

import re
import signal
from pathlib import Path

import pytest
import urllib3
from sqlalchemy import URL, select

from janitor.jobs import schedules
from janitor.state import State
from janitor.state.tables import deliveries
from tests.command_line import CommandLine, wait_for
from tests.outside import Hooks
from tests.servers import free_port
from tests.small_engine import check_slots, outcomes

LOOPS = {
    *("keeper", "renewing the leases", "saving what runs report", "pruning", "the clock", "recorder", "dependents"),
    *("notices", "notices to webhook", "pings", "jobs file", "web", "the door"),
}


def told(hooks: Hooks) -> list[str]:
    """The notices that came, as kind, job and rule."""
    whole = [request.json for request in hooks.requests if request.body.startswith(b"{")]
    single = [part for one in whole for part in one.get("notices", [one])]
    return [f"{one['kind']} {one['job']} {one['rule']}" for one in single]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_daemon_whose_loops_raise_at_random_goes_on(seed: int, tmp_path: Path) -> None:
    """Given a daemon with notices, pings, dashboard and jobs file, and each of its loops raises every third time.

    A job fails, and recovers; a job is added to the file; another builds on what succeeded.
    Must hold: each slot has one outcome, the notices and pings come, the pages answer, and it stops in order.
    """
    (tmp_path / "broken").touch()
    job = "jobs:\n  - {id: one, function: 'tests.shaky_house:works', schedule: every 1s}\n"
    (tmp_path / "jobs.yaml").write_text(job, encoding="utf-8")
    state = State(URL.create("sqlite", database=str(tmp_path / "var" / "janitor.db")))
    address = f"http://127.0.0.1:{(port := free_port())}"
    with Hooks().open() as hooks:
        environment = {
            "SEED": str(seed),
            "SHARE": "0.3",
            "BROKEN": str(tmp_path / "broken"),
            "JOBS_FILE": "jobs.yaml",
            "NOTICE_CHECK_SECONDS": "0.1",
            "NOTICE_RULES": "failed recovered",
            "WEBHOOK_URL": f"{hooks.url}/hook",
            "WORKS_PING_URL": f"{hooks.url}/ping",
            "WEB_ENABLED": "true",
            "WEB_PORT": str(port),
            "GRACE_SECONDS": "5",
        }
        line = CommandLine(tmp_path, ("-m", "tests.shaky_house"), environment)
        with line.started("start") as daemon:
            wait_for(lambda: "began broken failed" in told(hooks))
            (tmp_path / "jobs.yaml").write_text(job + job.replace("one", "two")[6:], encoding="utf-8")
            daemon.send_signal(signal.SIGHUP)
            wait_for(lambda: "succeeded" in outcomes(state, "two"))
            (tmp_path / "broken").unlink()
            wait_for(lambda: "ended broken failed" in told(hooks))
            wait_for(lambda: outcomes(state, "after_works").count("succeeded") > 2)
            wait_for(lambda: sum(path.startswith("/ping") for path in hooks.paths) > 6)
            metrics = wait_for(lambda: page(f"{address}/metrics"))
            wait_for(lambda: page(f"{address}/"))
            ended = line.stopped(daemon)
    assert ended.code == 0 and "stopped" in ended.out
    failed = dict(re.findall(r'janitor_loop_failures_total\{loop="([^"]+)"\} ([0-9.]+)', metrics))
    # Only a slot that is lost wakes the recorder, and what is old is looked for every half minute.
    assert LOOPS - {name for name, count in failed.items() if float(count) > 0} <= {"recorder", "pruning"}
    for job_id in ("broken", "works", "one"):
        check_slots(state, job_id, schedules.every(1))
    with state.read() as connection:
        assert set(connection.execute(select(deliveries.c.outcome)).scalars()) <= {"delivered", None}
    state.close()


def page(address: str) -> str:
    """The text of a page; empty if there is no answer yet."""
    try:
        answer = urllib3.request("GET", address, retries=False, timeout=30.0)
    except urllib3.exceptions.HTTPError:
        return ""
    return answer.data.decode() if answer.status == 200 else ""


@pytest.mark.slow
def test_sighup_without_a_jobs_file_does_no_harm(tmp_path: Path) -> None:
    line = CommandLine(tmp_path, ("-m", "tests.small_house"), {})
    with line.started("start", COUNT_SCHEDULE="every 1s") as daemon:
        state = State(URL.create("sqlite", database=str(tmp_path / "var" / "janitor.db")))
        wait_for(lambda: (tmp_path / "var" / "heartbeat").exists() and state.version() is not None)
        for _ in range(3):
            daemon.send_signal(signal.SIGHUP)
        before = len(outcomes(state, "count"))
        wait_for(lambda: len(outcomes(state, "count")) > before + 1)
        assert line.stopped(daemon).code == 0
    state.close()
