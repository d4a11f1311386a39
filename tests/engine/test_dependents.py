"""Jobs that build on one another, on the real engine: what they use, what they get, and what runs by itself."""

import os
import signal
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, select

from janitor.engine.dependents import Dependents
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import BadSetting, JanitorError, Skip
from janitor.jobs import Job, Result
from janitor.jobs.dependencies import NotReady, Status, due, status
from janitor.jobs.result_texts import decode
from janitor.jobs_file.loading import load
from janitor.scheduler import Scheduler
from janitor.state import State, builds, description_records, job_records, leases, result_records
from janitor.state.run_records import AFTER, BY_HAND, Ending
from janitor.state.tables import configs
from tests.command_line import CommandLine, wait_for
from tests.jobs_file.files import write
from tests.small_engine import eventually, lines_of, now, outcomes, rows_of, runner_for, settings_for, tick

CHAIN = """
jobs:
  - {id: crawl, function: 'FUNCTIONS:crawl', args: [garden], schedule: every 1h}
  - id: process
    function: FUNCTIONS:process
    args: [!result crawl]
    schedule: after
    dependencies: [crawl]
  - id: twin
    function: FUNCTIONS:process
    kwargs: {crawled: !result crawl}
    schedule: after
    dependencies: [crawl]
    isolation: process
  - id: report
    function: FUNCTIONS:report
    args: [!result process, {of: !result crawl}]
    schedule: after
    dependencies: [process, twin, crawl]
"""
WHOLE = {"site": "garden", "pages": [0, 1, 2], "day": date(2026, 3, 1), "price": Decimal("1.10")}


def by_hand(
    runner: Runner, job: Job, pins: Mapping[str, int] | None = None, dry_run: bool = False
) -> tuple[int, Ending]:
    finished = runner.execute(job, Slot(None, BY_HAND, pins or {}), dry_run)
    assert finished is not None
    return finished


def result(state: State, run_id: int) -> Any:
    with state.read() as connection:
        content = result_records.load(connection, run_id)
    return None if content is None else decode(content)


def used(state: State, run_id: int) -> dict[str, int]:
    with state.read() as connection:
        return builds.uses(connection, [run_id]).get(run_id, {})


def loaded(folder: Path, url: URL, text: str = CHAIN, **environment: str) -> Scheduler:
    scheduler = Scheduler(settings_for(url, folder, **environment))
    scheduler.replace_jobs(load(write(folder, text), scheduler).jobs)
    return scheduler


def no_job_is_due(runner: Runner, scheduler: Scheduler) -> bool:
    """Whether no job is due after its dependencies."""
    return Dependents(scheduler.jobs, runner, lambda job, slot: None).look() == []


def test_a_run_gets_the_results_that_it_records_as_used(state_url: URL, tmp_path: Path) -> None:
    scheduler = loaded(tmp_path, state_url)
    with runner_for(scheduler.settings) as runner:
        ids = {name: by_hand(runner, scheduler.jobs[name])[0] for name in ("crawl", "process", "twin", "report")}
        assert result(runner.state, ids["crawl"]) == WHOLE
        assert result(runner.state, ids["process"]) == result(runner.state, ids["twin"]) == {"rows": 6}
        assert result(runner.state, ids["report"]) == [{"rows": 6}, {"of": {**WHOLE}}, 2.0]
        assert used(runner.state, ids["report"]) == {name: ids[name] for name in ("crawl", "process", "twin")}
        assert used(runner.state, ids["crawl"]) == {}
        with runner.state.read() as connection:
            assert builds.used_by(connection, ids["crawl"]) == [
                (ids["report"], "report"),
                (ids["twin"], "twin"),
                (ids["process"], "process"),
            ]


def test_a_run_before_its_dependencies_is_refused(state_url: URL, tmp_path: Path) -> None:
    scheduler = loaded(tmp_path, state_url)
    with runner_for(scheduler.settings) as runner:
        with pytest.raises(NotReady, match="process depends on crawl, which has not succeeded yet: run crawl first"):
            by_hand(runner, scheduler.jobs["process"])
        by_hand(runner, scheduler.jobs["crawl"], dry_run=True)
        with pytest.raises(NotReady):
            by_hand(runner, scheduler.jobs["process"])
        assert [row.job for row in rows_of(runner.state)] == ["crawl"]
        assert result(runner.state, 1) is None
        by_hand(runner, scheduler.jobs["crawl"])
        assert by_hand(runner, scheduler.jobs["process"])[1].outcome == "succeeded"


def test_a_slot_before_its_dependencies_is_skipped(state_url: URL, tmp_path: Path) -> None:
    text = CHAIN.replace(
        "    schedule: after\n    dependencies: [crawl]\n", "    schedule: every 1h\n    dependencies: [crawl]\n", 1
    )
    scheduler = loaded(tmp_path, state_url, text, CRAWL_ENABLED="false")
    with runner_for(scheduler.settings, leads=False) as runner:
        assert tick(scheduler, runner, lambda: rows_of(runner.state, "process"))
        (row,) = rows_of(runner.state, "process")
        assert (row.outcome, row.slots) == ("skipped", 1)
        assert row.reason.startswith("process depends on crawl, which has not succeeded yet")
        with runner.state.read() as connection:
            assert leases.holder_of(connection, "job:process") is None, "nobody else could run it"


def test_a_pinned_run_is_used_in_place_of_the_newest(state_url: URL, tmp_path: Path) -> None:
    scheduler = loaded(tmp_path, state_url)
    with runner_for(scheduler.settings) as runner:
        first, second = by_hand(runner, scheduler.jobs["crawl"])[0], by_hand(runner, scheduler.jobs["crawl"])[0]
        pinned = by_hand(runner, scheduler.jobs["process"], {"crawl": first})[0]
        newest = by_hand(runner, scheduler.jobs["process"])[0]
        assert (used(runner.state, pinned), used(runner.state, newest)) == ({"crawl": first}, {"crawl": second})
        dry, _ = by_hand(runner, scheduler.jobs["crawl"], dry_run=True)
        for pins, said in (
            ({"crawl": dry}, f"run {dry} is no run of crawl that succeeded"),
            ({"crawl": newest + 1}, f"run {newest + 1} is no run of crawl that succeeded"),
            ({"crawl": pinned}, f"run {pinned} is no run of crawl that succeeded"),
            ({"report": 1}, "report is no dependency of process; its dependencies are: crawl"),
        ):
            with pytest.raises(BadSetting, match=said):
                by_hand(runner, scheduler.jobs["process"], pins)


def test_one_success_sets_off_the_whole_graph_once(state_url: URL, tmp_path: Path) -> None:
    scheduler = loaded(tmp_path, state_url)
    with runner_for(scheduler.settings, leads=False) as runner:
        assert tick(scheduler, runner, lambda: "succeeded" in outcomes(runner.state, "report"))
        assert [
            (row.job, row.outcome, row.origin) for row in rows_of(runner.state) if row.job in ("crawl", "report")
        ] == [
            ("crawl", "succeeded", "schedule"),
            ("report", "succeeded", "after"),
        ]
        assert sorted(row.job for row in rows_of(runner.state)) == ["crawl", "process", "report", "twin"]
        assert no_job_is_due(runner, scheduler)


def test_a_paused_or_disabled_job_does_not_follow(state_url: URL, tmp_path: Path) -> None:
    scheduler = loaded(tmp_path, state_url, TWIN_ENABLED="false")
    with runner_for(scheduler.settings, leads=False) as runner:
        with runner.state.begin() as connection:
            job_records.pause(connection, "process", "after", now(), "anna")
        assert tick(scheduler, runner, lambda: "succeeded" in outcomes(runner.state, "crawl"))
        assert no_job_is_due(runner, scheduler)
        assert {row.job for row in rows_of(runner.state)} == {"crawl"}
        with runner.state.begin() as connection:
            job_records.resume(connection, "process")
        assert not no_job_is_due(runner, scheduler)


def test_only_the_leader_begins_what_is_due(state_url: URL, tmp_path: Path) -> None:
    scheduler, entered = loaded(tmp_path, state_url), list[str]()
    with runner_for(scheduler.settings) as runner:
        by_hand(runner, scheduler.jobs["crawl"])
        dependents = Dependents(scheduler.jobs, runner, lambda job, slot: entered.append(job.id))
        fence = runner.lead.fence
        runner.leadership.take(None)
        dependents._step()
        assert entered == []
        runner.leadership.take(fence)
        dependents._step()
        assert entered == ["process", "twin"]


def test_what_was_used_meanwhile_does_not_begin_by_itself(state_url: URL, tmp_path: Path) -> None:
    # Given: a job that is due after its dependency. What happens: it runs by hand before it begins by itself.
    # What must hold: it runs once for that success, and anybody may run it again.
    scheduler = loaded(tmp_path, state_url)
    with runner_for(scheduler.settings) as runner:
        for name in ("crawl", "process"):
            by_hand(runner, scheduler.jobs[name])
        with pytest.raises(Skip, match="its dependencies have nothing newer"):
            runner.execute(scheduler.jobs["process"], Slot(None, AFTER))
        assert outcomes(runner.state, "process") == ["succeeded"]
        with runner.state.read() as connection:
            assert leases.holder_of(connection, "job:process") is None


def test_what_is_described_is_kept_once_for_all_runs(state_url: URL, tmp_path: Path) -> None:
    scheduler = loaded(tmp_path, state_url)
    with runner_for(scheduler.settings) as runner:
        for _ in range(3):
            by_hand(runner, scheduler.jobs["crawl"])
        rows = rows_of(runner.state, "crawl")
        with runner.state.read() as connection:
            kept = connection.execute(select(configs)).all()
            assert [row.digest for row in kept] == [rows[0].config]
            assert description_records.load(connection, rows[2].config) == kept[0].content
        assert '"args": ["garden"]' in kept[0].content


def test_a_result_that_is_too_large_fails_the_run_and_says_so(state_url: URL, tmp_path: Path) -> None:
    text = (
        "jobs:\n  - {id: big, function: 'operator:mul', args: [x, 1048575]}\n"
        "  - {id: large, function: 'operator:mul', args: [x, 1048575]}\n"
        "  - {id: needs, function: 'operator:not_', args: [1], dependencies: [big]}\n"
    )
    scheduler = loaded(tmp_path, state_url, text)
    said = "the result is 1,048,577 bytes of JSON, and at most 1,048,576 are kept"
    with runner_for(scheduler.settings) as runner:
        _, ending = by_hand(runner, scheduler.jobs["big"])
        assert ending.outcome == "failed" and said in (ending.reason or "")
        # Nobody depends on this one.
        number, ending = by_hand(runner, scheduler.jobs["large"])
        assert (ending.outcome, ending.result) == ("succeeded", None)
        assert said in lines_of(runner.state, number)[0]


def test_statuses_on_record(state_url: URL, tmp_path: Path) -> None:
    text = CHAIN + "  - {id: skips, function: 'FUNCTIONS:skips', dependencies: [crawl]}\n"
    scheduler = loaded(tmp_path, state_url, text)

    def statuses() -> dict[str, Status]:
        with runner.state.read() as connection:
            standings = builds.standings(connection, list(scheduler.jobs))
        return {name: status(job, standings) for name, job in scheduler.jobs.items()}

    with runner_for(scheduler.settings) as runner:
        assert set(statuses().values()) == {Status.NOT_RUN}
        for name in ("crawl", "process", "skips"):
            by_hand(runner, scheduler.jobs[name])
        assert statuses()["process"] == statuses()["skips"] == Status.SUCCEEDED
        by_hand(runner, scheduler.jobs["crawl"])
        assert statuses()["process"] == statuses()["skips"] == Status.OUTDATED
        by_hand(runner, scheduler.jobs["skips"])
        assert (statuses()["process"], statuses()["skips"]) == (Status.OUTDATED, Status.SUCCEEDED)


def test_a_dry_run_uses_nothing_up(state_url: URL, tmp_path: Path) -> None:
    scheduler = loaded(tmp_path, state_url)
    with runner_for(scheduler.settings) as runner:
        by_hand(runner, scheduler.jobs["crawl"])
        by_hand(runner, scheduler.jobs["process"], dry_run=True)
        with runner.state.read() as connection:
            standings = builds.standings(connection, ["crawl", "process"])
        assert due(scheduler.jobs["process"], standings)
        assert status(scheduler.jobs["process"], standings) == Status.NOT_RUN
        by_hand(runner, scheduler.jobs["process"])
        with runner.state.read() as connection:
            assert not due(scheduler.jobs["process"], builds.standings(connection, ["crawl", "process"]))


@pytest.mark.slow
def test_a_chain_cut_by_kill_9_goes_on_with_the_next_daemon(tmp_path: Path) -> None:
    # Given a chain of six jobs. The daemon is killed while the fifth runs; another daemon starts.
    # The run that was cut is recorded as interrupted, and its job runs again.
    # The chain goes on from there to its end: no job before it runs twice.
    slow = CHAIN.replace("'FUNCTIONS:crawl', args: [garden]", "'FUNCTIONS:crawl', args: [garden], tags: [x]")
    slow += "  - {id: slow, function: 'FUNCTIONS:slow', args: [1.5], schedule: after, dependencies: [report]}\n"
    slow += "  - {id: last, function: 'FUNCTIONS:skips', schedule: after, dependencies: [slow]}\n"
    write(tmp_path, slow)
    janitor = CommandLine(tmp_path, ("-m", "tests.jobs_file.bare"), {"JOBS_FILE": "jobs.yaml", "LEASE_SECONDS": "2"})
    state = State(URL.create("sqlite", database=str(tmp_path / "var" / "janitor.db")))

    def seen(job: str) -> list[str | None]:
        try:
            return outcomes(state, job)
        except JanitorError:  # the state database is not made yet
            return []

    with janitor.started() as first:
        wait_for(lambda: None in seen("slow"))
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    with janitor.started() as second:
        wait_for(lambda: "skipped" in seen("last"))
        assert janitor.stopped(second).code == 0
    assert seen("slow") == ["interrupted", "succeeded"]
    assert [seen(name) for name in ("crawl", "process", "twin", "report", "last")] == [["succeeded"]] * 4 + [
        ["skipped"]
    ]
    newest = rows_of(state, "slow")[-1]
    assert used(state, newest.id) == {"report": rows_of(state, "report")[0].id}
    assert eventually(lambda: None not in outcomes(state))
    state.close()


def test_jobs_of_run_py_build_on_one_another_too(state_url: URL, tmp_path: Path) -> None:
    seen: list[Any] = []
    scheduler = Scheduler(settings_for(state_url, tmp_path))
    scheduler.add_job(lambda: {"rows": 3}, "interval", hours=1, id="first")
    scheduler.add_job(seen.append, "after", args=[Result("first")], id="second", dependencies=["first"])
    scheduler.replace_jobs({})
    with runner_for(scheduler.settings, leads=False) as runner:
        assert tick(scheduler, runner, lambda: "succeeded" in outcomes(runner.state, "second"))
    assert seen == [{"rows": 3}]
    with pytest.raises(BadSetting, match="Result of job third is 'first': name first among its dependencies"):
        scheduler.add_job(seen.append, "by hand", args=[Result("first")], id="third")
