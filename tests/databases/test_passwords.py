"""Passwords with any letters open a connection, and are shown nowhere."""

from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor import databases
from janitor.errors import Rejected
from janitor.settings import Settings
from tests.servers import SqlServer


@pytest.mark.parametrize("password", ["p€ss", "pässwörd", "пароль😀", "p@:/#?%"])
def test_a_password_of_any_letters_is_sent_as_utf_8(mariadb: SqlServer, password: str) -> None:
    quoted = password.replace("'", "''")
    mariadb.execute("DROP USER IF EXISTS lettered", f"CREATE USER lettered IDENTIFIED BY '{quoted}'")
    try:
        with databases.read(mariadb.url(user="lettered", password=password)) as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
        with pytest.raises(Rejected, match="access denied") as caught:
            with databases.read(mariadb.url(user="lettered", password=password + "€")):
                pass
        assert password not in str(caught.value)
    finally:
        databases.dispose()
        mariadb.execute("DROP USER lettered")


def test_a_password_that_is_rotated_needs_no_restart(mariadb: SqlServer, tmp_path: Path) -> None:
    # Given: a URL in a file. What happens: the server gets a new password, and the file later.
    # What must hold: logins are refused until the file has it, and then they are not.
    def url(password: str) -> str:
        return mariadb.url("mysql", user="rotated", password=password).render_as_string(hide_password=False)

    (tmp_path / "url").write_text(url("the old one"), encoding="utf-8")
    mariadb.execute("DROP USER IF EXISTS rotated", "CREATE USER rotated IDENTIFIED BY 'the old one'")
    mariadb.execute("GRANT SELECT ON mysql.* TO rotated")
    settings = Settings.load({"LAB_DATABASE_URL_FILE": str(tmp_path / "url")}, dotenv=None)
    databases.configure(databases.Limits(), settings.login)
    lab = settings.needed("LAB_DATABASE_URL")
    try:
        assert who(lab) == "rotated"
        mariadb.execute("ALTER USER rotated IDENTIFIED BY 'the new one'")
        databases.dispose()
        with pytest.raises(Rejected, match="access denied"):
            who(lab)
        (tmp_path / "url").write_text(url("the new one"), encoding="utf-8")
        assert who(lab) == "rotated"
    finally:
        databases.dispose()
        mariadb.execute("DROP USER rotated")


def who(url: URL) -> str:
    """As whom a connection is logged in."""
    with databases.read(url) as connection:
        return str(connection.exec_driver_sql("SELECT USER()").scalar_one()).partition("@")[0]
