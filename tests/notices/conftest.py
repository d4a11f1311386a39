"""Fixtures: a house to watch, a daemon with one job, and a web server that takes notices."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.notices.house import House
from tests.outside import Hooks
from tests.small_engine import DATABASES, empty_state, lite_state, runner_for, settings_for


@pytest.fixture(params=["sqlite"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """Give a house on SQLite; its daemon leads."""
    with runner_for(settings_for(empty_state(request, tmp_path), tmp_path)) as runner:
        yield House(runner)


@pytest.fixture(params=DATABASES)
def any_house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """Give a house on SQLite, and on the server; its daemon leads."""
    with runner_for(settings_for(empty_state(request, tmp_path), tmp_path)) as runner:
        yield House(runner)


@pytest.fixture
def janitor(tmp_path: Path) -> CommandLine:
    """The command line of a daemon with one job, with an empty state database: a new one would be told too."""
    lite_state(tmp_path / "var" / "janitor.db")
    settings = {
        "MAIL_HOST": "127.0.0.1",
        "MAIL_TLS": "none",
        "MAIL_FROM": "janitor@example.org",
        "MAIL_TO": "anna@example.org",
        "NOTICE_CHECK_SECONDS": "0.1",
        "NOTICE_RULES": "failed recovered",
        "BROKEN": str(tmp_path / "broken"),
        "WEB_ENABLED": "false",
    }
    return CommandLine(tmp_path, ("-m", "tests.notices.small_house"), settings)


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    """Give a web server that accepts everything."""
    with Hooks().open() as hooks:
        yield hooks
