"""How connections are secured, in words."""

from pathlib import Path

from sqlalchemy import make_url

from janitor import databases
from janitor.checks.encryption import broker_secured_by, secured_by, state_secured_by
from janitor.settings import Settings
from tests.servers import SqlServer


def settings(**environ: str) -> Settings:
    return Settings.load(environ, None)


def test_a_server_that_need_not_be_encrypted(mariadb: SqlServer) -> None:
    url = mariadb.create_database().update_query_dict({"ssl_disabled": "true"})
    with databases.read(url) as connection:
        assert secured_by(connection, url) == "not encrypted (without TLS)"
    given = settings(STATE_DATABASE_URL=url.render_as_string(hide_password=False))
    assert state_secured_by(given) == ", not encrypted (without TLS)"


def test_a_file_needs_no_encryption(tmp_path: Path) -> None:
    assert state_secured_by(settings(STATE_DATABASE_URL=str(make_url(f"sqlite:///{tmp_path}/x.db")))) == ""


def test_the_broker_is_encrypted_and_verified_if_the_setting_says_so() -> None:
    assert broker_secured_by(settings()) == "not encrypted (without TLS)"
    said = broker_secured_by(settings(RABBITMQ_TLS="true"))
    assert said == "encrypted with TLS, certificate and host name verified"
