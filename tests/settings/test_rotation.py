"""Rotation: logins use what the files of secrets hold now, and what cannot be right changes nothing."""

import logging
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import Field
from sqlalchemy import make_url

from janitor.logs.mask import mask_for
from janitor.settings import Settings, SettingsGroup
from janitor.settings.kinds import DatabaseUrl

URL = "mysql+pymysql://{}@db/lab?connect_timeout=3"


class LabSettings(SettingsGroup):
    """The settings of a task."""

    lab_url: DatabaseUrl = Field(make_url("sqlite:///lab.db"), description="where")


def loaded(folder: Path, **files: str) -> tuple[Settings, Callable[..., None]]:
    """Settings whose values come from files, and what changes these."""

    def write(**texts: str) -> None:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")

    write(**files)
    environ = {f"{name}_FILE": str(folder / name) for name in files} | {"MAIL_USERNAME": "anna"}
    return Settings.load(environ, dotenv=None, of_tasks=(LabSettings,)), write


@pytest.mark.parametrize("name", ["STATE_DATABASE_URL", "LAB_URL", "OTHER_DATABASE_URL"])
def test_a_login_has_the_user_and_the_password_of_now(name: str, tmp_path: Path) -> None:
    # Given: the URL of the house, of a task, or one that nobody declares, from a file. What happens: the file changes.
    # What must hold: a login has what it holds now, in a child process too; no text shows the new password.
    settings, write = loaded(tmp_path, **{name: URL.format("me:old-word")})
    url = settings.database(name)
    assert url is not None and settings.login(url) == url
    write(**{name: URL.format("you:new-word") + "\n"})
    copied: Settings = pickle.loads(pickle.dumps(settings))
    for each in (settings, copied):
        now = each.login(url)
        assert (now.username, now.password, now.host, now.query) == ("you", "new-word", "db", url.query)
        assert mask_for(each)("new-word and old-word") == "*** and ***"
    write(**{name: URL.format("me:old-word")})
    assert settings.login(url) == url


def test_a_secret_of_a_group_is_read_again(tmp_path: Path) -> None:
    settings, write = loaded(tmp_path, RABBITMQ_PASSWORD="old-word", MAIL_PASSWORD="old-word")
    write(RABBITMQ_PASSWORD="new-word")
    assert settings.fresh("RABBITMQ_PASSWORD").get_secret_value() == "new-word"
    assert settings.fresh("MAIL_PASSWORD").get_secret_value() == "old-word"
    assert settings.fresh("MAIL_USERNAME") == "anna"
    assert settings.rabbitmq_password.get_secret_value() == "old-word"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "STATE_DATABASE_URL_FILE is '.*': give a readable file"),
        ("", "this one is empty"),
        ("mysql+pymysql://me:new", "STATE_DATABASE_URL stays as it was: its host or port cannot be read"),
        (URL.format("me:new-word").replace("lab", "other"), "its file names another database, which counts from the n"),
    ],
)
def test_what_cannot_be_right_changes_nothing(
    text: str | None, says: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings, write = loaded(tmp_path, STATE_DATABASE_URL=URL.format("me:old-word"))
    url = settings.state_database_url
    if text is None:
        (tmp_path / "STATE_DATABASE_URL").unlink()
    else:
        write(STATE_DATABASE_URL=text)
    assert settings.login(url) == url and settings.login(url) == url
    (record,) = caplog.records
    assert record.levelno == logging.WARNING and re.search(says, record.getMessage())
    assert "new-word" not in record.getMessage()
    write(STATE_DATABASE_URL=URL.format("me:new-word"))
    assert settings.login(url).password == "new-word"


def test_a_file_that_is_being_written_leaves_the_login_before(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # Given: secrets that were rotated since the start: the server does not take those of the start any more.
    # What happens: the files are emptied, hold a half of something, or are gone, as whoever rotates them writes anew.
    # What must hold: logins go on with what was taken last, which is told once; then what the files hold counts again.
    settings, write = loaded(tmp_path, STATE_DATABASE_URL=URL.format("me:old-word"), RABBITMQ_PASSWORD="old-word")
    url = settings.state_database_url
    write(STATE_DATABASE_URL=URL.format("me:new-word"), RABBITMQ_PASSWORD="new-word")

    def passwords() -> tuple[str | None, str]:
        return settings.login(url).password, settings.fresh("RABBITMQ_PASSWORD").get_secret_value()

    assert passwords() == ("new-word", "new-word")
    write(STATE_DATABASE_URL="", RABBITMQ_PASSWORD="\n")
    caplog.clear()
    for _ in range(3):
        assert passwords() == ("new-word", "new-word")
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    write(STATE_DATABASE_URL="mysql+pymysql://me:")
    (tmp_path / "RABBITMQ_PASSWORD").unlink()
    assert passwords() == ("new-word", "new-word")
    write(STATE_DATABASE_URL=URL.format("me:newest"), RABBITMQ_PASSWORD="newest")
    assert passwords() == ("newest", "newest")
    write(STATE_DATABASE_URL=URL.format("me:old-word"), RABBITMQ_PASSWORD="old-word")
    assert passwords() == ("old-word", "old-word")


def test_a_url_of_no_file_stays(tmp_path: Path) -> None:
    settings, _ = loaded(tmp_path, OTHER_DATABASE_URL=URL.format("me:old-word"))
    given = make_url(URL.format("you:own-word"))
    assert settings.login(given) is given and settings.login(settings.state_database_url).database
