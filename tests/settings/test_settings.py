"""Settings: those of the house and those of a task, in their types; none shows a secret."""

import pickle
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from janitor.errors import BadSetting
from janitor.settings import Settings
from tests.settings.lab import QUOTED, SECRET, LabSettings, load


def test_values_arrive_in_their_types() -> None:
    settings = load(
        STATE_DATABASE_URL=f"mysql+pymysql://me:{QUOTED}@db:3307/state",
        SCHEDULE_TIMEZONE="Europe/London",
        STATEMENT_TIMEOUT_SECONDS="2.5",
        HISTORY_RUNS="17",
        RABBITMQ_TLS="true",
        MESSAGES_DIR="/messages",
    )
    assert settings.state_database_url.password == SECRET
    assert settings.schedule_timezone == ZoneInfo("Europe/London")
    assert (settings.statement_timeout_seconds, settings.history_runs) == (2.5, 17)
    assert settings.rabbitmq_tls is True and settings.messages_dir == Path("/messages")


def test_a_task_finds_its_own_settings() -> None:
    url = f"mysql+pymysql://me:{QUOTED}@db:3307/lab"
    given = {"LAB_DATABASE_URL": url, "LAB_TIMEZONE": "Europe/London", "LAB_SINCE": "2023-08-21", "LAB_PASS": "open"}
    settings = load(**given)
    lab = settings.of(LabSettings)
    assert lab.lab_database_url is not None and lab.lab_database_url.password == SECRET
    assert (lab.lab_timezone, lab.lab_since) == (ZoneInfo("Europe/London"), date(2023, 8, 21))
    assert (lab.lab_encoding, lab.lab_group_size) == ("binary", 100)
    assert settings.value("LAB_SINCE") == date(2023, 8, 21) and settings.value("HISTORY_DAYS") == 365
    assert {"LAB_SINCE", "LAB_PASS", "HISTORY_DAYS"} <= settings.known.keys()
    assert "open" in settings.secrets() and SECRET in settings.secrets()


def test_a_group_that_load_did_not_get_is_read_when_asked(tmp_path: Path) -> None:
    (tmp_path / "size").write_text("7\n", encoding="utf-8")
    settings = Settings.load({"LAB_SINCE": "2023-08-21", "LAB_GROUP_SIZE_FILE": str(tmp_path / "size")}, dotenv=None)
    lab = settings.of(LabSettings)
    assert (lab.lab_since, lab.lab_group_size) == (date(2023, 8, 21), 7)
    with pytest.raises(BadSetting, match="the setting is 'LAB_SINCE': no group of settings declares it"):
        settings.value("LAB_SINCE")
    with pytest.raises(BadSetting, match="LAB_GROUP_SIZE is 'many'"):
        Settings.load({"LAB_GROUP_SIZE": "many"}, dotenv=None).of(LabSettings)


def test_any_variable_may_hold_a_database_url(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"mysql+pymysql://me:{QUOTED}@db/other\n", encoding="utf-8")
    settings = Settings.load({"OTHER_DATABASE_URL_FILE": str(tmp_path / "url"), "BAD_DATABASE_URL": SECRET}, None)
    assert settings.needed("OTHER_DATABASE_URL").password == SECRET and SECRET in settings.secrets()
    assert getattr(settings, "other_database_url") == settings.database("OTHER_DATABASE_URL")
    assert settings.database("NO_DATABASE_URL") is None and getattr(settings, "no_database_url") is None
    with pytest.raises(BadSetting, match="NO_DATABASE_URL is missing: give a URL such as"):
        settings.needed("NO_DATABASE_URL")
    with pytest.raises(BadSetting, match="BAD_DATABASE_URL is '.not shown.': it is not a database URL"):
        settings.needed("BAD_DATABASE_URL")
    with pytest.raises(AttributeError):
        getattr(settings, "history_dayz")


def test_nothing_given_is_enough_for_the_engine() -> None:
    settings = load()
    assert str(settings.state_database_url) == "sqlite:///var/janitor.db"
    assert settings.rabbitmq_host is None and settings.of(LabSettings).lab_database_url is None


def test_secrets_are_in_no_repr() -> None:
    url = f"mysql+pymysql://me:{QUOTED}@db/mlwh"
    settings = load(LAB_DATABASE_URL=url, STATE_DATABASE_URL=url, RABBITMQ_PASSWORD=SECRET, LAB_PASS=SECRET)
    lab = settings.of(LabSettings)
    for text in (repr(settings), str(settings), repr(dict(settings)), repr(lab), repr(dict(lab))):
        assert SECRET not in text and QUOTED not in text


def test_settings_are_frozen_and_go_to_a_child() -> None:
    settings = load(HISTORY_DAYS="5", NIGHTLY_SCHEDULE="every 5m", LAB_GROUP_SIZE="6")
    with pytest.raises(ValidationError):
        settings.history_days = 6
    there = pickle.loads(pickle.dumps(settings))
    assert there.history_days == 5 and there.of(LabSettings).lab_group_size == 6
    assert there.environ["NIGHTLY_SCHEDULE"] == "every 5m"
