"""Settings: what is read, in which order, and how a bad value is refused; those of the house and those of a task."""

import pickle
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from janitor.errors import BadSetting
from janitor.settings import Settings
from tests.settings.lab import LabSettings

SECRET = "s3cret/pass@word"
QUOTED = "s3cret%2Fpass%40word"


def load(**environ: str) -> Settings:
    return Settings.load(environ, dotenv=None, of_tasks=[LabSettings])


def refused(**environ: str) -> str:
    """The sentence with which a value is refused."""
    with pytest.raises(BadSetting) as caught:
        load(**environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)


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


def test_an_empty_value_counts_as_absent() -> None:
    settings = load(HISTORY_DAYS="", LAB_DATABASE_URL="  ", NIGHTLY_ENABLED="")
    assert settings.history_days == 365 and settings.database("LAB_DATABASE_URL") is None
    assert "NIGHTLY_ENABLED" not in settings.environ


def test_the_environment_goes_before_the_dotenv_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("HISTORY_DAYS=7\nHISTORY_RUNS=8\nNIGHTLY_SCHEDULE='every 5m'\n", encoding="utf-8")
    settings = Settings.load({"HISTORY_DAYS": "9"}, dotenv)
    assert (settings.history_days, settings.history_runs) == (9, 8)
    assert settings.environ["NIGHTLY_SCHEDULE"] == "every 5m"


def test_a_dotenv_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(b"HISTORY_DAYS=\xff\xfe\n")
    with pytest.raises(BadSetting, match=r"\.env' *: give a file that is UTF-8 text"):
        Settings.load({}, dotenv)


def test_a_missing_dotenv_file_is_no_error(tmp_path: Path) -> None:
    assert Settings.load({}, tmp_path / "none").history_days == 365


def test_a_file_variable_gives_its_file_s_content(tmp_path: Path) -> None:
    secret, switch = tmp_path / "secret", tmp_path / "switch"
    secret.write_text(f"mysql+pymysql://me:{QUOTED}@db/mlwh\n", encoding="utf-8")
    switch.write_text("false\n", encoding="utf-8")
    settings = load(LAB_DATABASE_URL_FILE=str(secret), NIGHTLY_ENABLED_FILE=str(switch))
    assert settings.needed("LAB_DATABASE_URL").password == SECRET
    assert settings.environ["NIGHTLY_ENABLED"] == "false"


def test_a_file_variable_that_gives_nothing_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n", encoding="utf-8")
    assert "RABBITMQ_PASSWORD_FILE" in refused(RABBITMQ_PASSWORD_FILE=str(tmp_path / "none"))
    assert "this one is empty" in refused(RABBITMQ_PASSWORD_FILE=str(empty))


def test_a_value_given_twice_is_refused(tmp_path: Path) -> None:
    text = refused(RABBITMQ_PASSWORD_FILE=str(tmp_path / "secret"), RABBITMQ_PASSWORD=SECRET)
    assert "RABBITMQ_PASSWORD is given too" in text and SECRET not in text


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("HISTORY_DAYS", "0", "give 1 or more"),
        ("HISTORY_RUNS", "many", "give a whole number"),
        ("LEASE_SECONDS", "61", "give 60 or less"),
        ("GRACE_SECONDS", "-1", "give 0 or more"),
        ("STATEMENT_TIMEOUT_SECONDS", "0", "give a number over 0"),
        ("STATEMENT_TIMEOUT_SECONDS", "inf", "give a number"),
        ("CONNECT_TIMEOUT_SECONDS", "nan", "give a number"),
        ("LOG_LEVEL", "LOUD", "give DEBUG, INFO, WARNING or ERROR"),
        ("LOG_FORMAT", "xml", "give text or json"),
        ("RABBITMQ_PORT", "70000", "give 65535 or less"),
        ("RABBITMQ_TLS", "perhaps", "give true or false"),
        ("LAB_TIMEZONE", "Europe/Lundun", "Europe/London"),
        ("SCHEDULE_TIMEZONE", "../etc/passwd", "Europe/London"),
        ("LAB_SINCE", "21/08/2023", "YYYY-MM-DD"),
        ("LAB_ENCODING", "xml", "give binary or json"),
        ("LAB_GROUP_SIZE", "0", "give 1 or more"),
    ],
)
def test_a_bad_value_is_named_with_what_is_right(name: str, value: str, right: str) -> None:
    text = refused(**{name: value})
    assert text.startswith(f"{name} is {value!r}: ")
    assert right in text


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (f"me:{SECRET}", "not a database URL"),
        (f"mysql+pymysql://me:{QUOTED}@db:port/mlwh", "host or port"),
        (f"mysql://me:{QUOTED}@db/mlwh", "not one of mysql+pymysql and sqlite"),
        (f"postgresql://me:{QUOTED}@db/mlwh", "not one of mysql+pymysql and sqlite"),
        (f"oracel://me:{QUOTED}@db/mlwh", "driver is unknown"),
        (f"mysql+pymysql://me:{QUOTED}@db", "names no host or no database"),
        (f"mysql+pymysql://me:{QUOTED}@/mlwh", "names no host or no database"),
        (f"mysql+pymysql://me:{QUOTED}@db/mlwh?ssl-ca=x", "no option ssl-ca"),
        (f"mysql+pymysql://me:{QUOTED}@db/mlwh?connect_timeout=soon", "malformed"),
        ("sqlite://", "names no file"),
    ],
)
def test_a_bad_url_is_refused_without_its_password(value: str, right: str) -> None:
    text = refused(LAB_DATABASE_URL=value)
    assert text.startswith("LAB_DATABASE_URL is ")
    assert right in text and "mysql+pymysql://user:password@host:3306/name" in text
    assert SECRET not in text and QUOTED not in text


def test_a_bad_secret_is_not_repeated() -> None:
    with pytest.raises(BadSetting) as caught:
        load(RABBITMQ_USERNAME="me", RABBITMQ_PASSWORD=SECRET, RABBITMQ_PORT="x")
    assert SECRET not in str(caught.value) and SECRET not in repr(caught.value.__cause__)


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
