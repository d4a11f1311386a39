"""Database URLs: which are taken, and that nothing of a refused URL is repeated."""

import traceback
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import make_url

from janitor.errors import BadSetting
from janitor.settings.database_urls import database_url
from tests.settings.lab import QUOTED, SECRET, load, refused


@pytest.mark.parametrize(
    "text",
    [
        f"mysql+pymysql://me:{QUOTED}@db:3307/mlwh?ssl_ca=/ca.pem&connect_timeout=5",
        "mysql+pymysql://me@db/mlwh",
        "sqlite:////var/lib/janitor/state.db",
        "sqlite:///state.db?timeout=5",
    ],
)
def test_a_url_that_the_driver_knows_is_taken(text: str) -> None:
    assert database_url(text) == make_url(text) == database_url(make_url(text))


HOSTILE = ["p@ss/w0rd#1", "p@ss", "p@ss:1", "p@ss?x=1", "p@", "@p", "p@s@s", "p@ss#x", "p@ss/db?ssl_ca=x"]


@pytest.mark.parametrize("password", HOSTILE)
@pytest.mark.parametrize("name", ["STATE_DATABASE_URL", "LAB_DATABASE_URL", "OTHER_DATABASE_URL"])
def test_a_password_is_never_taken_for_the_host(name: str, password: str) -> None:
    # Given: a password that ends too early for the driver, as it has an @ in it.
    # What happens: the URL is read, of a setting of the house, of a task, and of none.
    # What must hold: it is refused, with how to write the password, and no part of it is repeated, nor in a traceback.
    with pytest.raises(BadSetting) as caught:
        load(**{name: f"mysql+pymysql://anna:{password}@dbhost/labname"}).needed(name)
    told = "".join(traceback.format_exception(caught.value)).rpartition("BadSetting: ")[2]
    assert "write @ as %40" in told and told.startswith(f"{name} is '(not shown)': ")
    for part in (password, "ss/w0rd", "w0rd#1", "anna", "dbhost", "labname"):
        assert part not in str(caught.value)
    written = quote(password, safe="")
    right = load(**{name: f"mysql+pymysql://anna:{written}@dbhost/labname"}).needed(name)
    assert (right.password, right.host) == (password, "dbhost")


@pytest.mark.parametrize(
    "url",
    [
        "mysql+pymysql://u:a:b#c@db.example.org:3306/lab_1-x",
        "mysql+pymysql://u:p/w@[fe80::1]:3307/lab",
        "mysql+pymysql://u@my_host/lab",
        "mysql+pymysql://u:a?b#c@my_host/lab",
        "mysql+pymysql://u@s:p@10.0.0.1/lab",
    ],
)
def test_what_is_certain_is_taken_as_it_stands(url: str) -> None:
    assert database_url(url) == make_url(url)


def test_a_file_in_the_home_folder_and_a_file_without_enough_slashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    settings = load(LAB_DATABASE_URL="sqlite:///~/lab.db", OTHER_DATABASE_URL="sqlite:///~/other.db")
    assert settings.needed("LAB_DATABASE_URL").database == "/home/anna/lab.db"
    assert settings.needed("OTHER_DATABASE_URL").database == "/home/anna/other.db"
    assert load(HEARTBEAT_FILE="~/beat").heartbeat_file == Path("/home/anna/beat")
    assert "there is no such user: give a path without ~" in refused(HEARTBEAT_FILE="~nobody-at-all/beat")
    assert "it names a host, and a file has none" in refused(LAB_DATABASE_URL="sqlite://var/x.db")


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (f"me:{SECRET}", "not a database URL"),
        (f"mysql+pymysql://me:{QUOTED}@db:port/mlwh", "host or port"),
        (f"mysql+pymysql://me:{QUOTED}@db:70000/mlwh", "its host, port or database cannot be right"),
        (f"mysql+pymysql://me:{QUOTED}@db:-1/mlwh", "its host, port or database cannot be right"),
        (f"mysql://me:{QUOTED}@db/mlwh", "not one of mysql+pymysql and sqlite"),
        (f"postgresql://me:{QUOTED}@db/mlwh", "not one of mysql+pymysql and sqlite"),
        (f"oracel://me:{QUOTED}@db/mlwh", "driver is unknown"),
        (f"mysql+pymysql://me:{QUOTED}@db", "names no host or no database"),
        (f"mysql+pymysql://me:{QUOTED}@/mlwh", "names no host or no database"),
        (f"mysql+pymysql://me:{QUOTED}@db/mlwh?ssl-ca=x", "no option ssl-ca"),
        (f"mysql+pymysql://me:{QUOTED}@db/mlwh?connect_timeout=soon", "takes a number of seconds"),
        ("sqlite://", "names no file"),
    ],
)
def test_a_bad_url_is_refused_without_its_password(value: str, right: str) -> None:
    text = refused(LAB_DATABASE_URL=value)
    assert text.startswith("LAB_DATABASE_URL is ")
    assert right in text and "mysql+pymysql://user:password@host:3306/name" in text
    assert SECRET not in text and QUOTED not in text
