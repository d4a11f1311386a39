"""The mark of a secret: every setting that holds a secret bears it, and no error repeats such a value."""

from pathlib import Path
from typing import get_args

import pytest
from pydantic import Field, SecretStr
from sqlalchemy import URL, make_url

import run
from janitor.errors import BadSetting
from janitor.logs.mask import mask_for
from janitor.settings import Settings, SettingsGroup
from janitor.settings.secrets import is_secret, secret_texts
from tests.settings.lab import LabSettings


def kinds(annotation: object) -> set[object]:
    """The types that an annotation is made of."""
    return {annotation} | {kind for inner in get_args(annotation) for kind in kinds(inner)}


def test_every_kind_that_holds_a_secret_bears_the_mark() -> None:
    known = Settings.load({}, dotenv=None, of_tasks=run.SETTINGS_OF_TASKS).known
    marked = {name for name, field in known.items() if is_secret(field)}
    assert marked == {name for name, field in known.items() if kinds(field.annotation) & {SecretStr, URL}}
    assert {"STATE_DATABASE_URL", "MLWH_DATABASE_URL", "RABBITMQ_PASSWORD", "MAIL_PASSWORD"} <= marked
    assert not {"RABBITMQ_USERNAME", "MAIL_FROM", "HISTORY_DAYS"} & marked


def test_secret_kinds_without_the_mark_are_secrets_too() -> None:
    class Own(SettingsGroup):
        own_word: SecretStr = Field(SecretStr(""), min_length=8)
        own_other_word: SecretStr | None = None
        own_url: URL | None = None
        own_name: str = ""

    settings = Settings.load({"OWN_OTHER_WORD": "sesame-seed"}, dotenv=None, of_tasks=[Own])
    assert mask_for(settings)("open sesame-seed now") == "open *** now"
    assert [name for name, field in Own.variables().items() if is_secret(field)] == [
        "OWN_WORD",
        "OWN_OTHER_WORD",
        "OWN_URL",
    ]
    with pytest.raises(BadSetting) as caught:
        Settings.load({"OWN_WORD": "sesame"}, dotenv=None, of_tasks=[Own])
    assert "sesame" not in str(caught.value)


def test_what_is_secret_in_a_value() -> None:
    assert secret_texts(make_url("mysql+pymysql://me:p%40ss@db/lab")) == ["p@ss"]
    assert secret_texts(make_url("sqlite:///lab.db")) == [] == secret_texts(None)
    assert secret_texts(SecretStr("open")) == ["open"] and secret_texts(7) == ["7"]


@pytest.mark.parametrize("name", ["STATE_DATABASE_URL", "LAB_DATABASE_URL"])
def test_an_error_does_not_repeat_a_secret(name: str) -> None:
    with pytest.raises(BadSetting) as caught:
        Settings.load({name: "do-not-tell"}, dotenv=None, of_tasks=[LabSettings])
    assert str(caught.value).startswith(f"{name} is '(not shown)': ")
    assert "do-not-tell" not in f"{caught.value} {caught.value.__cause__!r}"


def test_the_mask_hides_a_secret_of_a_task(tmp_path: Path) -> None:
    (tmp_path / "pass").write_text("sesame-seed\n", encoding="utf-8")
    settings = Settings.load({"LAB_PASS_FILE": str(tmp_path / "pass")}, dotenv=None, of_tasks=[LabSettings])
    assert mask_for(settings)("open sesame-seed now") == "open *** now"


def test_what_a_jobs_file_takes_is_a_secret_unless_it_is_known_to_be_plain() -> None:
    environ = {"AWS_KEY": "k-1-secret", "TZ": "Europe/Oslo", "LC_ALL": "C.UTF-8", "LAB_GROUP_SIZE": "100000"}
    settings = Settings.load({**environ, "LAB_PASS": "sesame-seed"}, dotenv=None, of_tasks=[LabSettings])
    for name, value in settings.environ.items():
        settings.keep_secret(name, value)
    assert settings.taken == {"k-1-secret": "AWS_KEY", "sesame-seed": "LAB_PASS"}
