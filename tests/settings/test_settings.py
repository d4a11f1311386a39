"""Settings: what is read, in which order, and how a bad value is refused."""

import pickle
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from janitor.errors import BadSetting
from janitor.settings import Settings

SECRET = "s3cret/pass@word"
QUOTED = "s3cret%2Fpass%40word"


def load(**environ: str) -> Settings:
    return Settings.load(environ, dotenv=None)


def refused(**environ: str) -> str:
    """The sentence with which a value is refused."""
    with pytest.raises(BadSetting) as caught:
        load(**environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_values_arrive_in_their_types() -> None:
    settings = load(
        MLWH_DATABASE_URL=f"mysql+pymysql://me:{QUOTED}@db:3307/mlwh",
        MLWH_TIMEZONE="Europe/London",
        STATEMENT_TIMEOUT_SECONDS="2.5",
        HISTORY_RUNS="17",
        SEQUENCING_PUBLISHER_SINCE="2023-08-21",
        RABBITMQ_TLS="true",
        MESSAGES_DIR="/tmp/messages",
    )
    assert settings.mlwh_database_url is not None and settings.mlwh_database_url.password == SECRET
    assert settings.mlwh_timezone == ZoneInfo("Europe/London")
    assert (settings.statement_timeout_seconds, settings.history_runs) == (2.5, 17)
    assert settings.sequencing_publisher_since == date(2023, 8, 21)
    assert settings.rabbitmq_tls is True and settings.messages_dir == Path("/tmp/messages")


def test_nothing_given_is_enough_for_the_engine() -> None:
    settings = load()
    assert str(settings.state_database_url) == "sqlite:///var/janitor.db"
    assert settings.mlwh_database_url is None and settings.rabbitmq_host is None


def test_an_empty_value_counts_as_absent() -> None:
    settings = load(HISTORY_DAYS="", MLWH_DATABASE_URL="  ", NIGHTLY_ENABLED="")
    assert settings.history_days == 365 and settings.mlwh_database_url is None
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
    with pytest.raises(BadSetting, match=r"\.env' *: give one that can be read as UTF-8"):
        Settings.load({}, dotenv)


def test_a_missing_dotenv_file_is_no_error(tmp_path: Path) -> None:
    assert Settings.load({}, tmp_path / "none").history_days == 365


def test_a_file_variable_gives_its_file_s_content(tmp_path: Path) -> None:
    secret, switch = tmp_path / "secret", tmp_path / "switch"
    secret.write_text(f"mysql+pymysql://me:{QUOTED}@db/mlwh\n", encoding="utf-8")
    switch.write_text("false\n", encoding="utf-8")
    settings = load(MLWH_DATABASE_URL_FILE=str(secret), NIGHTLY_ENABLED_FILE=str(switch))
    assert settings.mlwh_database_url is not None and settings.mlwh_database_url.password == SECRET
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
        ("HISTORY_DAYS", "0", "greater than or equal to 1"),
        ("HISTORY_RUNS", "many", "valid integer"),
        ("LEASE_SECONDS", "61", "less than or equal to 60"),
        ("GRACE_SECONDS", "-1", "greater than or equal to 0"),
        ("STATEMENT_TIMEOUT_SECONDS", "0", "greater than 0"),
        ("STATEMENT_TIMEOUT_SECONDS", "inf", "finite"),
        ("CONNECT_TIMEOUT_SECONDS", "nan", "finite"),
        ("LOG_LEVEL", "LOUD", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("LOG_FORMAT", "xml", "'text' or 'json'"),
        ("RABBITMQ_PORT", "70000", "less than or equal to 65535"),
        ("RABBITMQ_TLS", "perhaps", "boolean"),
        ("MLWH_TIMEZONE", "Europe/Lundun", "Europe/London"),
        ("SCHEDULE_TIMEZONE", "../etc/passwd", "Europe/London"),
        ("SEQUENCING_PUBLISHER_SINCE", "21/08/2023", "YYYY-MM-DD"),
        ("SEQUENCING_PUBLISHER_ENCODING", "xml", "'binary' or 'json'"),
        ("SEQUENCING_PUBLISHER_GROUP_SIZE", "0", "greater than or equal to 1"),
        ("SEQUENCING_PUBLISHER_UNROUTABLE", "retry", "'fail' or 'drop'"),
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
    text = refused(LABWHERE_DATABASE_URL=value)
    assert text.startswith("LABWHERE_DATABASE_URL is ")
    assert right in text and "mysql+pymysql://user:password@host:3306/name" in text
    assert SECRET not in text and QUOTED not in text


def test_a_bad_secret_is_not_repeated() -> None:
    with pytest.raises(BadSetting) as caught:
        load(RABBITMQ_USERNAME="me", RABBITMQ_PASSWORD=SECRET, RABBITMQ_PORT="x")
    assert SECRET not in str(caught.value) and SECRET not in repr(caught.value.__cause__)


def test_secrets_are_in_no_repr() -> None:
    url = f"mysql+pymysql://me:{QUOTED}@db/mlwh"
    settings = load(MLWH_DATABASE_URL=url, STATE_DATABASE_URL=url, RABBITMQ_PASSWORD=SECRET)
    for text in (repr(settings), str(settings), repr(dict(settings))):
        assert SECRET not in text and QUOTED not in text


def test_settings_are_frozen_and_go_to_a_child() -> None:
    settings = load(HISTORY_DAYS="5", NIGHTLY_SCHEDULE="every 5m")
    with pytest.raises(ValidationError):
        settings.history_days = 6
    there = pickle.loads(pickle.dumps(settings))
    assert there.history_days == 5 and there.environ["NIGHTLY_SCHEDULE"] == "every 5m"
