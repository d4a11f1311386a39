"""Passwords with any letters open a connection, and are shown nowhere."""

import pytest

from janitor import databases
from janitor.errors import Rejected
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
