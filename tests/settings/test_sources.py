"""Where settings come from, and which source goes before which."""

from pathlib import Path

import pytest

from janitor.errors import BadSetting
from janitor.settings import Settings
from janitor.settings.sources import from_files, variables_from
from tests.settings.lab import QUOTED, SECRET, LabSettings, load, refused


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
    assert read == given | {"LAB_SIZE": "  7 ", "NIGHTLY_SCHEDULE": "  7 "}


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "value").write_bytes(b"\xff\xfe")
    with pytest.raises(BadSetting, match="^LAB_SIZE_FILE is '.*value': give a readable file that holds LAB_SIZE "):
        from_files({"LAB_SIZE_FILE": str(tmp_path / "value")}, ["LAB_SIZE"])
    assert from_files({"LAB_SIZE_FILE": str(tmp_path / "value")}, ["LAB_PASS"]) == {}


def test_a_file_s_mark_and_line_ends_go_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "word").write_bytes("\ufeff sésame $x \r\n\n".encode())
    assert load(LAB_PASS_FILE=str(tmp_path / "word")).value("LAB_PASS").get_secret_value() == " sésame $x "
    (tmp_path / "size").write_bytes("\ufeff7\r\n".encode())
    assert load(LAB_GROUP_SIZE_FILE=str(tmp_path / "size")).value("LAB_GROUP_SIZE") == 7


def test_a_dotenv_file_is_taken_as_it_stands(tmp_path: Path) -> None:
    # Given: passwords with the signs that shells replace, in a file that an editor on Windows wrote.
    # What happens: it is read while variables of those names are set. What must hold: nothing is put in.
    text = "LAB_PASS=pa${ss}word\r\nMAIL_PASSWORD='a$b$$c'\r\nRABBITMQ_PASSWORD=\"${HOME}\"\r\nHISTORY_DAYS=7\r\n"
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbf" + text.encode())
    settings = Settings.load({"ss": "x", "b": "y"}, tmp_path / ".env", of_tasks=[LabSettings])
    words = [settings.value(name) for name in ("LAB_PASS", "MAIL_PASSWORD", "RABBITMQ_PASSWORD")]
    assert [word.get_secret_value() for word in words] == ["pa${ss}word", "a$b$$c", "${HOME}"]
    assert settings.history_days == 7


def test_a_stranger_s_file_stops_no_start(tmp_path: Path) -> None:
    # Given: variables of other programs that look like a job's, and whose files are not there or are given twice.
    given = {"BACKUP_SCHEDULE_FILE": "/no/such/file", "CACHE_DATABASE_URL_FILE": str(tmp_path), "CRON_PING_URL": "x"}
    settings = load(**given, CRON_PING_URL_FILE="/none", OTHER_ENABLED_FILE="/none")
    assert "BACKUP_SCHEDULE" not in settings.environ and settings.given("NOBODY_ENABLED") is None
    # Whoever asks for such a variable by its name, as a job of that name does, is told.
    for name in ("BACKUP_SCHEDULE", "OTHER_ENABLED", "CACHE_DATABASE_URL"):
        with pytest.raises(BadSetting, match=f"^{name}_FILE is '.*': give a readable file that holds {name} "):
            settings.database(name) if name.endswith("URL") else settings.given(name)
