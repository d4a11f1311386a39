"""The wing that tells people: what it checks, and what it does beside the clock."""

from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.errors import BadSetting
from janitor.scheduler import Scheduler
from janitor.verbs.wings.notices import NoticesWing
from tests.outside import Hooks
from tests.small_engine import eventually, job_of, nothing, run_by_hand, runner_for, settings_for


def breaks() -> None:
    """Fail."""
    raise ValueError("odd")


def test_a_malformed_rule_of_a_job_is_refused(tmp_path: Path) -> None:
    settings = settings_for(state_in(tmp_path), tmp_path, COPY_NOTICE_RULES="broken")
    NoticesWing().check(settings, {"clean": job_of(nothing, id="clean")})
    with pytest.raises(BadSetting, match="COPY_NOTICE_RULES is 'broken': there is no rule broken"):
        NoticesWing().check(settings, {"copy": job_of(nothing, id="copy")})


def test_a_failure_goes_to_sentry_if_that_is_set(tmp_path: Path) -> None:
    with Hooks().open() as hooks:
        fail_once(tmp_path, SENTRY_DSN=hooks.url.replace("://", "://key@") + "/7")
    assert hooks.paths == ["/api/7/envelope/"]


@pytest.mark.slow
def test_a_failure_is_told_to_a_channel(tmp_path: Path) -> None:
    with Hooks().open() as hooks:
        fail_once(tmp_path, hooks, SLACK_URL=f"{hooks.url}/services/secret")
    assert hooks.paths == ["/services/secret"] and b"task failed" in hooks.requests[0].body


def fail_once(folder: Path, hooks: Hooks | None = None, **environment: str) -> None:
    """Let a task fail once beside the wing; wait until a request came to `hooks`, if they are given."""
    settings = settings_for(state_in(folder), folder, WEB_ENABLED="false", **environment)
    scheduler = Scheduler(settings)
    scheduler.add_job(breaks, "interval", hours=1, id="task")
    with runner_for(settings) as runner, NoticesWing().beside(scheduler, scheduler.daemon(runner)):
        run_by_hand(runner, breaks)
        if hooks is not None:
            eventually(lambda: hooks.paths)


def state_in(folder: Path) -> URL:
    """The URL of a state database in a folder."""
    return URL.create("sqlite", database=str(folder / "state.db"))
