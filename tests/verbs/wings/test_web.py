"""The wing that serves the dashboard: it serves beside the clock, or not if it is switched off."""

import logging
import socket
from pathlib import Path

import pytest
import urllib3
from sqlalchemy import URL

from janitor.errors import BadSetting
from janitor.scheduler import Scheduler
from janitor.verbs.wings.web import WebWing
from tests.small_engine import runner_for, settings_for


def addresses(folder: Path, caplog: pytest.LogCaptureFixture, **environment: str) -> list[str]:
    """Open the wing's block, look whether the dashboard answers, and return the addresses that were logged."""
    settings = settings_for(URL.create("sqlite", database=str(folder / "state.db")), folder, **environment)
    scheduler = Scheduler(settings)
    with runner_for(settings) as runner, caplog.at_level(logging.INFO):
        with WebWing().beside(scheduler, scheduler.daemon(runner)):
            lines = [record.getMessage() for record in caplog.records]
            found = [line.split()[-1] for line in lines if line.startswith("the dashboard is at")]
            for address in found:
                assert urllib3.request("GET", f"{address}/metrics", retries=False, timeout=30.0).status == 200
    return found


def test_the_dashboard_answers_until_the_block_ends(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (address,) = addresses(tmp_path, caplog, WEB_ENABLED="true", WEB_PORT="0")
    url = urllib3.util.parse_url(address)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((url.host, url.port), timeout=30)


def test_a_dashboard_that_is_switched_off_is_not_served(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert addresses(tmp_path, caplog, WEB_ENABLED="false", WEB_PORT="0") == []


@pytest.mark.parametrize("more", [{"WEB_ENABLED": "false"}, {"WEB_VIEWER_TOKEN": "0123456789abcdef"}])
def test_check_refuses_an_address_that_the_start_would_refuse(tmp_path: Path, more: dict[str, str]) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    given = {"WEB_ENABLED": "true", "WEB_HOST": "0.0.0.0"}
    with pytest.raises(BadSetting, match="^WEB_HOST is '0.0.0.0': beyond this machine the dashboard needs"):
        WebWing().check(settings_for(url, tmp_path, **given), {})
    WebWing().check(settings_for(url, tmp_path, **{**given, **more}), {})
