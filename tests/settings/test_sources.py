"""Where settings come from, and which source goes before which."""

from pathlib import Path

import pytest

from janitor.errors import BadSetting
from janitor.settings import Settings
from janitor.settings.sources import from_files, variables_from
from tests.settings.lab import QUOTED, SECRET, load, refused


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


def test_only_files_of_known_variables_are_read(tmp_path: Path) -> None:
    (tmp_path / "value").write_text("  7 \n", encoding="utf-8")
    path = str(tmp_path / "value")
    given = {"LAB_SIZE_FILE": path, "JOBS_FILE": path, "SOMEBODY_S_FILE": path, "NIGHTLY_SCHEDULE_FILE": path}
    read = variables_from(given, None, ["LAB_SIZE", "JOBS_FILE", "JOBS"])
    assert read == given | {"LAB_SIZE": "7", "NIGHTLY_SCHEDULE": "7"}


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "value").write_bytes(b"\xff\xfe")
    with pytest.raises(BadSetting, match="^LAB_SIZE_FILE is '.*value': give a readable file that holds LAB_SIZE "):
        from_files({"LAB_SIZE_FILE": str(tmp_path / "value")}, ["LAB_SIZE"])
    assert from_files({"LAB_SIZE_FILE": str(tmp_path / "value")}, ["LAB_PASS"]) == {}
