"""A jobs file that changes while a real daemon runs: written over, with and without SIGHUP."""

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
import urllib3

from janitor.jobs import Job
from janitor.jobs_file import watching
from janitor.jobs_file.loading import load
from janitor.jobs_file.watching import Watcher
from janitor.scheduler import Scheduler
from tests.command_line import CommandLine, wait_for
from tests.jobs_file.files import clock, write
from tests.jobs_file.living import FIRST, SECOND, daemon
from tests.servers import free_port
from tests.small_engine import outcomes, rows_of


def test_a_changed_file_is_taken_over_whole(tmp_path: Path) -> None:
    with daemon(tmp_path, FIRST) as house:
        wait_for(lambda: house.seen("a") == {"skipped"})
        house.change(SECOND)
        wait_for(lambda: "failed" in house.seen("a") and "skipped" in house.seen("c"))
        house.change(FIRST)
        house.says("it has 2 jobs")
        before = len(rows_of(house.state, "c"))
        wait_for(lambda: outcomes(house.state, "a")[-1] == "skipped")
        assert len(rows_of(house.state, "c")) - before <= 1


def test_a_file_with_mistakes_changes_nothing_and_says_why(tmp_path: Path) -> None:
    with daemon(tmp_path, FIRST) as house:
        wait_for(lambda: house.seen("a") == {"skipped"})
        house.change(SECOND.replace("every 1s", "evry 1s"))
        house.says("jobs.yaml:2: job a: schedule: it is 'evry 1s'")
        house.says("jobs.yaml:3: job c: schedule: it is 'evry 1s'")
        house.says("has mistakes: the jobs stay as they were")
        before = len(rows_of(house.state, "a"))
        wait_for(lambda: len(rows_of(house.state, "a")) > before + 1)
        # A run that goes on at this moment has no outcome yet.
        assert (house.seen("a") - {None}, house.seen("c")) == ({"skipped"}, set())
        (tmp_path / "jobs.yaml").unlink()
        house.process.send_signal(signal.SIGHUP)
        house.says("it cannot be read (No such file or directory)")
        house.change(SECOND)
        wait_for(lambda: "failed" in house.seen("a"))


@pytest.mark.slow
def test_a_changed_included_file_is_noticed_without_a_signal(tmp_path: Path) -> None:
    write(tmp_path, "  - {id: a, function: 'FUNCTIONS:skips', schedule: every 1s}\n", "more.yaml")
    with daemon(tmp_path, "jobs:\n{% include 'more.yaml' %}\n") as house:
        wait_for(lambda: house.seen("a") == {"skipped"})
        write(tmp_path, "  - {id: a, function: 'FUNCTIONS:fails', schedule: every 1s}\n", "more.yaml")
        wait_for(lambda: "failed" in house.seen("a"))


@pytest.mark.slow
def test_changing_a_disabled_jobs_schedule_does_not_start_it(tmp_path: Path) -> None:
    text = FIRST + "  - {id: d, function: 'FUNCTIONS:skips', schedule: every 1h, enabled: false}\n"
    with daemon(tmp_path, text) as house:
        house.change(text.replace("every 1h", "every 1s"))
        house.says("it has 3 jobs")
        before = len(rows_of(house.state, "a"))
        wait_for(lambda: len(rows_of(house.state, "a")) > before + 2)
        assert house.seen("d") == set()
        house.change(text.replace("every 1h, enabled: false", "every 1s"))
        wait_for(lambda: house.seen("d") == {"skipped"})


@pytest.mark.slow
def test_another_schedule_owes_nothing_for_the_time_before_it(tmp_path: Path) -> None:
    slow = FIRST.replace("every 1s", "every 1h")
    with daemon(tmp_path, slow) as house:
        wait_for(lambda: house.seen("a") == {"skipped"})
        house.change(FIRST)
        wait_for(lambda: len(rows_of(house.state, "a")) > 2)
        assert "missed" not in house.seen("a")


@pytest.mark.slow
def test_a_job_that_is_put_back_owes_nothing(tmp_path: Path) -> None:
    # Given: a daemon with two jobs that are due each second. What happens: one is taken out for some slots, and put
    # back. What must hold: no record tells of the time between.
    whole = FIRST + "  - {id: d, function: 'FUNCTIONS:skips', schedule: every 1s}\n"
    with daemon(tmp_path, whole) as house:
        wait_for(lambda: house.seen("d") == {"skipped"})
        house.change(FIRST)
        house.says("it has 2 jobs")
        begun = rows_of(house.state, "a")[-1].slot_until_at
        wait_for(lambda: (rows_of(house.state, "a")[-1].slot_until_at - begun).total_seconds() > 4)
        gone = rows_of(house.state, "d")[-1]
        house.change(whole)
        wait_for(lambda: rows_of(house.state, "d")[-1].id > gone.id)
        back = next(row for row in rows_of(house.state, "d") if row.id > gone.id)
        assert (back.slot_at - gone.slot_until_at).total_seconds() > 3, (gone, back)


@pytest.mark.slow
def test_a_run_that_goes_on_ends_as_it_began(tmp_path: Path) -> None:
    text = "jobs:\n  - {id: slow, function: 'FUNCTIONS:slow', args: [2], schedule: every 1h}\n"
    with daemon(tmp_path, text) as house:
        wait_for(lambda: None in house.seen("slow"))
        house.change(FIRST)
        house.says("it has 2 jobs")
        wait_for(lambda: house.seen("slow") == {"succeeded"})


def test_a_daemon_does_not_start_on_a_file_with_mistakes(tmp_path: Path) -> None:
    write(tmp_path, FIRST.replace("every 1s", "evry 1s") + "  - {id: b, function: 'FUNCTIONS:skips'}\n")
    ended = CommandLine(tmp_path, ("-m", "tests.jobs_file.bare"), {"JOBS_FILE": "jobs.yaml"})()
    assert ended.code == 2
    first, second, last = ended.err.splitlines()
    assert first.startswith("jobs.yaml:2: job a: schedule: it is 'evry 1s'")
    assert second.startswith("jobs.yaml:4: job b: id: jobs.yaml:3 has that id already")
    assert last == "janitor: JOBS_FILE is 'jobs.yaml': it has the mistakes above"


@pytest.mark.slow
def test_a_malformed_variable_keeps_the_jobs_as_they_were(tmp_path: Path) -> None:
    with daemon(tmp_path, FIRST, C_NOTICE_RULES="nonsense") as house:
        house.change(SECOND)
        house.says("cannot be taken over, the jobs stay as they were: C_NOTICE_RULES is 'nonsense'")
        before = len(rows_of(house.state, "a"))
        wait_for(lambda: len(rows_of(house.state, "a")) > before + 1)
        # A run that goes on at this moment has no outcome yet.
        assert (house.seen("a") - {None}, house.seen("c")) == ({"skipped"}, set())


def test_a_job_whose_settings_are_missing_is_not_taken_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # Given: a clock with a jobs file. What happens: the file gets a job that needs a database, and none is set.
    # What must hold: the jobs stay as they were, and the log says what to set; switched off, the job is taken over.
    scheduler, path = clock(), write(tmp_path, FIRST)
    watcher = Watcher(scheduler, path, first := load(path, scheduler))
    scheduler.replace_jobs(first.jobs)
    job = "  - {id: sync, function: 'janitor.tasks.labware_location:follow'}\n"
    write(tmp_path, FIRST + job)
    assert not watcher.look() and list(scheduler.jobs) == ["a", "b"]
    assert "LABWHERE_DATABASE_URL" in caplog.text and "the jobs stay as they were" in caplog.text
    write(tmp_path, FIRST + job.replace("follow'", "follow', enabled: false"))
    assert watcher.look() and list(scheduler.jobs) == ["a", "b", "sync"]


class Failing(Scheduler):
    """A clock that fails once to take jobs over, as nobody expects it."""

    has_failed = False

    def replace_jobs(self, jobs: Mapping[str, Job]) -> None:
        if not self.has_failed:
            self.has_failed = True
            raise OSError("no descriptor is left")
        super().replace_jobs(jobs)


def test_what_was_asked_for_is_read_at_the_next_look_if_one_fails(tmp_path: Path) -> None:
    # Given: a file that has not changed. What happens: somebody asks for it by SIGHUP, and the look fails.
    # What must hold: the next look reads the file, and the look after that has nothing to do.
    scheduler, path = Failing(clock().settings), write(tmp_path, FIRST)
    watcher = Watcher(scheduler, path, load(path, scheduler))
    watcher.ask()
    with pytest.raises(OSError, match="no descriptor"):
        watcher.look()
    assert watcher.look() and list(scheduler.jobs) == ["a", "b"] and not watcher.look()


def test_a_change_while_the_file_is_read_is_seen_at_the_next_look(tmp_path: Path) -> None:
    class Slow(Scheduler):
        """A clock during whose work somebody changes the file."""

        def replace_jobs(self, jobs: Mapping[str, Job]) -> None:
            super().replace_jobs(jobs)
            write(tmp_path, SECOND)

    scheduler, path = Slow(clock().settings), write(tmp_path, FIRST)
    watcher = Watcher(scheduler, path, load(path, scheduler))
    watcher.ask()
    assert watcher.look() and list(scheduler.jobs) == ["a", "b"]
    assert watcher.look() and list(scheduler.jobs) == ["a", "c"]


def test_the_dashboard_and_the_metrics_have_the_new_jobs(tmp_path: Path) -> None:
    port = str(free_port())
    with daemon(tmp_path, FIRST, WEB_ENABLED="true", WEB_PORT=port) as house:

        def get(path: str) -> str:
            return urllib3.request("GET", f"http://127.0.0.1:{port}{path}", retries=False, timeout=30.0).data.decode()

        wait_for(lambda: 'janitor_runs_total{job="a",outcome="skipped"}' in get("/metrics"))
        house.change(SECOND)
        wait_for(lambda: "skipped" in house.seen("c"))
        assert [job["id"] for job in json.loads(get("/api/jobs"))["jobs"]] == ["a", "c"]
        wait_for(lambda: 'janitor_runs_total{job="c",outcome="failed"} 0.0' in get("/metrics"))
        assert "This job is gone." in get("/jobs/b") and "<h1>c " in get("/jobs/c")


@pytest.mark.slow
def test_a_switched_link_is_noticed(tmp_path: Path) -> None:
    """Given a jobs file in `current`, a link to a release; the jobs files of both releases are one file by a hard link.

    The link is switched to another release, whose included file differs.
    Must hold: the jobs of the new release are taken over, without a signal.
    """
    for name, function in (("six", "skips"), ("seven", "fails")):
        (tmp_path / name).mkdir()
        more = f"  - {{id: a, function: 'FUNCTIONS:{function}', schedule: every 1s}}\n"
        write(tmp_path / name, more, "more.yaml")
    write(tmp_path / "six", "jobs:\n{% include 'more.yaml' %}\n", "lab.yaml")
    (tmp_path / "seven" / "lab.yaml").hardlink_to(tmp_path / "six" / "lab.yaml")
    (tmp_path / "current").symlink_to("six")
    (tmp_path / "link.yaml").symlink_to("current/lab.yaml")
    with daemon(tmp_path, FIRST, JOBS_FILE="link.yaml") as house:
        wait_for(lambda: house.seen("a") == {"skipped"})
        (tmp_path / "next").symlink_to("seven")
        (tmp_path / "next").rename(tmp_path / "current")
        wait_for(lambda: "failed" in house.seen("a"))


def test_a_stamp_tells_what_a_path_leads_to(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("jobs:\n", encoding="ascii")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    (tmp_path / "link").symlink_to("a")
    before = watching._stamps([tmp_path / "link"])
    assert watching._stamps([tmp_path / "link"]) == before
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("b")
    assert watching._stamps([tmp_path / "link"]) != before
    before = watching._stamps([tmp_path / "b"])
    os.utime(tmp_path / "b", ns=(0, 0))
    assert watching._stamps([tmp_path / "b"]) != before, "a change may keep the size"
