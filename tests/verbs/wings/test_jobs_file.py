"""The wing that takes jobs from a file: its two options, and the jobs that it adds."""

import signal
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from sqlalchemy import URL

from janitor.cli import verbs
from janitor.jobs_file.loading import load
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.verbs.assembly import Assembly
from janitor.verbs.wings.jobs_file import JobsFileWing
from tests.command_line import CommandLine
from tests.engine.test_dependents import CHAIN
from tests.jobs_file.files import clock, write
from tests.small_engine import eventually, runner_for, settings_for


def test_what_is_exported_makes_the_same_jobs(chain: CommandLine) -> None:
    whole = CHAIN + "  - {id: odd, function: 'FUNCTIONS:crawl', args: ['{{ x }}'], notes: \"a\\nb\\n\"}\n"
    whole = whole.replace("{{ x }}", "{% raw %}{{ x }}{% endraw %}")
    write(chain.folder, whole)
    (chain.folder / "copy.yaml").write_text(chain("jobs", "--export").out, encoding="utf-8")
    first = load(chain.folder / "jobs.yaml", clock()).jobs
    again = load(chain.folder / "copy.yaml", clock()).jobs
    kept = ("id", "func", "args", "schedule", "dependencies", "isolation", "timeout", "notes", "enabled")
    assert [[getattr(job, name) for name in kept] for job in again.values()] == [
        [getattr(job, name) for name in kept] for job in first.values()
    ]
    assert again["odd"].args == ("{{ x }}",)


def test_the_jobs_of_run_py_are_exported_and_the_copy_is_valid(tmp_path: Path) -> None:
    janitor = CommandLine(tmp_path)
    exported = janitor("jobs", "--export")
    (tmp_path / "copy.yaml").write_text(exported.out, encoding="utf-8")
    ended = janitor("validate", "copy.yaml")
    assert (ended.code, ended.lines) == (0, ["copy.yaml: 4 jobs, no mistakes"])
    assert "janitor.tasks.labware_location" in exported.out and "cannot be written" not in exported.out


def test_a_line_that_a_shell_completes_exports_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[Settings] = []

    def build(settings: Settings) -> Scheduler:
        asked.append(settings)
        return Scheduler(settings)

    shell = ShellComplete(verbs, {"obj": Assembly(build)}, "janitor", "_JANITOR_COMPLETE")
    found = shell.get_completions(["jobs", "--export"], "--j")
    assert [item.value for item in found] == ["--json"]
    assert asked == [] and capsys.readouterr().out == ""


def test_the_option_jobs_goes_before_the_variable(chain: CommandLine) -> None:
    write(chain.folder, "jobs:\n  - {id: other, function: 'FUNCTIONS:skips'}\n", "other.yaml")
    assert [row["job"] for row in chain("--jobs", "other.yaml", "jobs").rows] == ["other"]
    assert [row["job"] for row in chain("jobs").rows] == ["crawl", "process", "twin", "report"]


def test_without_a_file_there_are_no_jobs_and_no_watch(tmp_path: Path) -> None:
    settings = settings_for(URL.create("sqlite", database=str(tmp_path / "state.db")), tmp_path)
    wing, scheduler = JobsFileWing(), Scheduler(settings)
    assert wing.jobs(settings, scheduler) == {}
    before = signal.getsignal(signal.SIGHUP)
    with runner_for(settings) as runner, wing.beside(scheduler, scheduler.daemon(runner)):
        assert signal.getsignal(signal.SIGHUP) is before


def test_the_file_is_watched_until_the_block_ends(tmp_path: Path) -> None:
    path = write(tmp_path, "jobs:\n  - {id: a, function: 'FUNCTIONS:skips'}\n")
    settings = settings_for(URL.create("sqlite", database=str(tmp_path / "state.db")), tmp_path, JOBS_FILE=str(path))
    wing, scheduler = JobsFileWing(), Scheduler(settings)
    scheduler.replace_jobs(wing.jobs(settings, scheduler))
    before = signal.getsignal(signal.SIGHUP)
    with runner_for(settings) as runner, wing.beside(scheduler, scheduler.daemon(runner)):
        write(tmp_path, "jobs:\n  - {id: b, function: 'FUNCTIONS:skips'}\n")
        assert signal.getsignal(signal.SIGHUP) is not before
        signal.raise_signal(signal.SIGHUP)
        eventually(lambda: list(scheduler.jobs) == ["b"])
    assert signal.getsignal(signal.SIGHUP) is before
