"""What the verbs share: settings, jobs and logging, and the words for a program and a person."""

import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from sqlalchemy import make_url

from janitor.cli import verbs
from janitor.errors import BadSetting, Rejected
from janitor.jobs import Job
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.verbs.assembly import Assembly
from janitor.verbs.wing import Wing
from tests.small_engine import job_of, nothing
from tests.small_house import build
from tests.state.migrations.older import older
from tests.verbs.house import done

VERBS: Sequence[tuple[str, ...]] = (
    ("history",),
    ("show", "1"),
    ("delete", "1"),
    ("pause", "count"),
    ("resume", "count"),
    ("cancel", "1"),
    ("quarantine",),
    ("quarantine", "count", "--retry", "all"),
    ("cursor", "count"),
    ("cursor", "count", "--set", "start"),
    ("notices",),
    ("run", "count"),
    ("run", "count", "--dry-run"),
)
"""Verbs that need the state database, as they are typed."""


class Adding(Wing):
    """A wing that adds a job, which may depend on another."""

    def __init__(self, *dependencies: str) -> None:
        self._job = job_of(nothing, id="added", dependencies=dependencies)

    def jobs(self, settings: Settings, scheduler: Scheduler) -> Mapping[str, Job]:
        return {"added": self._job}


def test_options_go_before_the_environment(assembly: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEASE_SECONDS", "30")
    monkeypatch.setenv("GRACE_SECONDS", "40")
    assembly.given["LEASE_SECONDS"] = "7"
    assert (assembly.settings.lease_seconds, assembly.settings.grace_seconds) == (7, 40)


def test_the_clock_has_the_jobs_of_wings_too(assembly: Assembly) -> None:
    winged = Assembly(build, wings=[Adding("count")], given=assembly.given)
    assert list(winged.scheduler.jobs) == [*assembly.scheduler.jobs, "added"]
    with pytest.raises(BadSetting, match="dependencies of job added is 'nope': there is no such job"):
        _ = Assembly(build, wings=[Adding("nope")], given=assembly.given).scheduler


@pytest.mark.parametrize("typed", VERBS, ids=" ".join)
def test_no_verb_but_start_makes_a_state_database(assembly: Assembly, typed: tuple[str, ...]) -> None:
    # Given a path that is mistyped: there is no state database. A verb is typed.
    # It says so, and makes nothing there.
    assembly.given["STATE_DATABASE_URL"] = "sqlite:///mistyped/janitor.db"
    said = "there is no state database at mistyped/janitor.db: check STATE_DATABASE_URL, or let `start` make it"
    with pytest.raises(Rejected, match=said):
        done(verbs.commands[typed[0]], assembly, *typed[1:])
    assert not Path("mistyped").exists()


MORE_VERBS = (("jobs",), ("restored",), ("rename", "old", "count"), ("run", "count", "--new-state"))


@pytest.mark.parametrize("typed", [*VERBS, *MORE_VERBS], ids=" ".join)
def test_no_verb_but_migrate_and_start_changes_the_schema(assembly: Assembly, typed: tuple[str, ...]) -> None:
    # Given the state database of the release before, on which its daemon may lead. A verb of this release is typed.
    # It says which release it needs, and changes nothing.
    state = older(make_url("sqlite:///older.db"), "0005")
    assembly.given["STATE_DATABASE_URL"] = "sqlite:///older.db"
    said = "the state database at older.db has schema 0005, and this release needs schema .*: `migrate` and `start` bri"
    with pytest.raises(Rejected, match=said):
        done(verbs.commands[typed[0]], assembly, *typed[1:])
    assert state.version() == "0005"
    state.close()


@pytest.mark.parametrize("content", [b"", b"a stranger's"])
def test_no_verb_changes_what_is_at_a_mistyped_path(assembly: Assembly, content: bytes) -> None:
    assembly.given["STATE_DATABASE_URL"] = "sqlite:///mistyped.db"
    Path("mistyped.db").write_bytes(content)
    with pytest.raises(Rejected, match="there is no state database at|is not a SQLite database"):
        done(verbs.commands["history"], assembly)
    assert Path("mistyped.db").read_bytes() == content
    assert not Path("mistyped.db-wal").exists()


def test_an_unknown_job_is_refused_with_all_names(assembly: Assembly) -> None:
    assert assembly.job("walk").id == "walk"
    with pytest.raises(BadSetting, match="JOB is 'nope': there is no such job; the jobs are count, fail, decline, "):
        assembly.job("nope")


def test_secrets_are_masked_once_settings_are_read(assembly: Assembly) -> None:
    assembly.given |= {"RABBITMQ_PASSWORD": "s3cret-word", "GRACE_SECONDS": "soon"}
    # The settings are refused. Their error must be told all the same.
    assert assembly.mask("a s3cret-word") == "a s3cret-word"
    assembly.given["GRACE_SECONDS"] = "5"
    assert assembly.settings.grace_seconds == 5
    assert assembly.mask("a s3cret-word") == "a ***"


@pytest.mark.parametrize(("level", "logged"), [("INFO", ["told"]), ("DEBUG", ["traced", "noted", "told"])])
def test_debug_logs_more_than_a_verb_asks_for(assembly: Assembly, level: str, logged: list[str]) -> None:
    assembly.given["LOG_LEVEL"] = level
    stream = io.StringIO()
    assembly.log_to(stream, tracebacks=False, least=logging.WARNING)
    log = logging.getLogger("tests")
    log.debug("traced")
    log.info("noted")
    log.warning("told")
    assert [line.split()[-1] for line in stream.getvalue().splitlines()] == logged
