"""What the verbs share: settings, jobs and logging, and the words for a program and a person."""

import io
import logging
from collections.abc import Mapping

import pytest

from janitor.errors import BadSetting
from janitor.jobs import Job
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.verbs.assembly import Assembly
from janitor.verbs.wing import Wing
from tests.small_engine import job_of, nothing
from tests.small_house import build


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
