"""The options of a database URL: an allow-list, each in its type."""

import pytest
from sqlalchemy import make_url

from janitor.settings.database_options import known_options, options_of
from janitor.settings.database_urls import database_url
from tests.settings.lab import QUOTED, refused


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("ssl_disabled=perhaps", "its option ssl_disabled takes true or false"),
        ("ssl_verify_cert=", "an option after its '?' has no value"),
        ("connect_timeout=soon", "its option connect_timeout takes a number of seconds above 0"),
        ("read_timeout=-1", "its option read_timeout takes a number of seconds above 0"),
        ("write_timeout=nan", "its option write_timeout takes a number of seconds above 0"),
        ("ssl_ca=&ssl_cipher=x", "an option after its '?' has no value"),
        ("ssl_ca=%20", "its option ssl_ca is empty"),
        ("charset=latin1", "its option charset takes utf8mb4 alone"),
        ("ssl_ca=a&ssl_ca=b", "its option ssl_ca is there twice"),
        ("ssl_ca=a&ssl_disabled=true", "ssl_disabled=true and ssl_ca contradict each other"),
        ("ssl_verify_identity=1&ssl_verify_cert=0", "a host name cannot be verified without the certificate"),
        ("autocommit=true", "leave the option autocommit out: Janitor sets it itself"),
        ("sql_mode=ANSI", "leave the option sql_mode out"),
        ("ssl-ca=x", "there is no option ssl-ca; the options are ssl_ca, "),
        ("cursorclass=x", "there is no option cursorclass"),
    ],
)
def test_an_option_that_is_not_of_its_type_is_refused(options: str, said: str) -> None:
    assert said in refused(LAB_DATABASE_URL=f"mysql+pymysql://me:{QUOTED}@db/lab?{options}")


def test_options_are_read_in_their_types() -> None:
    url = database_url("mysql+pymysql://me@db/lab?ssl_ca=/ca.pem&ssl_disabled=false&read_timeout=2.5&charset=UTF8MB4")
    assert options_of(url) == {"ssl_ca": "/ca.pem", "ssl_disabled": False, "read_timeout": 2.5, "charset": "utf8mb4"}
    assert options_of(make_url("sqlite:///x.db?timeout=5")) == {"timeout": 5.0}
    assert "there is no option mode; the options are timeout" in refused(LAB_DATABASE_URL="sqlite:///x.db?mode=ro")


def test_an_engine_takes_what_is_on_the_list_and_leaves_the_rest() -> None:
    assert known_options(make_url("mysql+pymysql://me@db/lab?ssl_disabled=no&program=x")) == {"ssl_disabled": False}
    with pytest.raises(ValueError, match="its option timeout takes a number of seconds above 0"):
        known_options(make_url("sqlite:///x.db?timeout=0"))
