"""The verb `password`: a password becomes the hash that WEB_USERS takes."""

import io
import sys

import pytest

from janitor import cli
from janitor.errors import BadSetting
from janitor.settings import passwords
from janitor.verbs.assembly import Assembly
from janitor.verbs.password import password
from tests import small_house
from tests.verbs.house import done


def test_the_password_of_a_pipe_becomes_a_hash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse\n"))
    assert cli.main(small_house.build, ["password"]) == 0
    assert passwords.read(capsys.readouterr().out.strip()).fits("correct horse")


def test_blanks_belong_to_a_password_and_line_ends_do_not(
    assembly: Assembly, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(" correct horse \r\n"))
    done(password, assembly)
    assert passwords.read(capsys.readouterr().out.strip()).fits(" correct horse ")


def test_a_short_password_is_refused_and_not_shown(
    assembly: Assembly, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("s3cret\n"))
    with pytest.raises(BadSetting, match="the password is '6 characters long': give 8 to 1024 characters") as caught:
        done(password, assembly)
    assert "s3cret" not in str(caught.value) + capsys.readouterr().out
