"""What `check` finds, as the users that a deployment has."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.checks import everything
from janitor.needs import DatabaseNeed
from tests.command_line import ROOT, CommandLine, Ended
from tests.fixtures import Exchange, Warehouses
from tests.servers import SqlServer, free_port
from tests.small_engine import job_of, nothing

PASSWORD = "s3cret@least/99"
JOBS_OFF = {"SEQUENCING_RUN_CHANGES_JOB_ENABLED": "false"}


@pytest.fixture
def janitor(tmp_path: Path) -> CommandLine:
    """The command line of Janitor itself."""
    return CommandLine(tmp_path)


@dataclass(frozen=True)
class User:
    """A user of the database server who may do nothing but what `grant` adds."""

    server: SqlServer
    name: str

    def grant(self, what: str, url: URL, table: str = "*") -> None:
        target = "*" if table == "*" else f"`{table}`"
        self.server.execute(f"GRANT {what} ON `{url.database}`.{target} TO '{self.name}'@'%'")

    def revoke(self, what: str, url: URL, table: str) -> None:
        self.server.execute(f"REVOKE {what} ON `{url.database}`.`{table}` FROM '{self.name}'@'%'")

    def url(self, url: URL) -> str:
        return url.set(username=self.name, password=PASSWORD).render_as_string(hide_password=False)


@pytest.fixture
def user(mariadb: SqlServer) -> Iterator[User]:
    """A user without any grant."""
    made = User(mariadb, "janitor_least")
    mariadb.execute(f"CREATE OR REPLACE USER '{made.name}'@'%' IDENTIFIED BY '{PASSWORD}'")
    yield made
    mariadb.start()
    mariadb.execute(f"DROP USER '{made.name}'@'%'")


@pytest.fixture
def least(mariadb_warehouses: Warehouses, user: User) -> dict[str, str]:
    """The settings for warehouses whose user may do what the reference lists, and nothing else."""
    made = mariadb_warehouses
    urls = {"LABWHERE": made.labwhere_url, "MLWH": made.mlwh_url, "MLWH_EVENTS": made.events_url}
    for name, url in urls.items():
        for what, tables in least_grants(f"{name}_DATABASE_URL"):
            for table in tables:
                user.grant(what, url, table)
    return {f"{name}_DATABASE_URL": user.url(url) for name, url in urls.items()}


def least_grants(setting: str) -> list[tuple[str, list[str]]]:
    """What the reference's table of grants gives the user of a database, and on which tables."""
    page = (ROOT / "docs" / "reference" / "grants.md").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^\| of `{setting}` \| (.*?) \|", page, re.MULTILINE)
    found = re.findall(r"`([A-Z, ]+)` on ((?:`\w+`(?:, )?)+)", line)
    assert found
    return [(what, re.findall(r"\w+", tables)) for what, tables in found]


def wrong(ended: Ended) -> list[str]:
    """What is wrong, after asserting that nothing else but findings was printed."""
    assert ended.err == "" and "s3cret" not in ended.out
    assert {line.split(" ")[0] for line in ended.lines} <= {"ok", "note", "WRONG"}
    found = [line for line in ended.lines if line.startswith("WRONG")]
    assert ended.code == (1 if found else 0)
    return found


def test_all_is_well_with_the_least_grants(janitor: CommandLine, least: dict[str, str], exchange: Exchange) -> None:
    named = {"SEQUENCING_PUBLISHER_EXCHANGE": exchange.name}
    ended = janitor("check", **least, **exchange.broker.environment(), **named)
    assert wrong(ended) == []
    assert "table labware_location" in ended.out and "13 columns; the user may read, insert, update\n" in ended.out
    assert f"exchange '{exchange.name}'" in ended.out and "exists, fanout, durable" in ended.out
    assert "MariaDB 1" in ended.out and "encrypted (without TLS)" in ended.out
    assert not (janitor.folder / "var").exists()


@pytest.mark.slow
def test_all_is_well_on_embedded_parts(janitor: CommandLine, sqlite_warehouses: Warehouses) -> None:
    ended = janitor("check", "--json", **sqlite_warehouses.environment(), MESSAGES_DIR="out")
    assert ended.code == 0
    assert {one["verdict"] for one in ended.json} == {"ok"}
    assert any("the user may read, insert, update" in one["text"] for one in ended.json)
    assert any(one["text"].startswith("MESSAGES_DIR: the folder out") for one in ended.json)


@pytest.mark.slow
def test_a_wrong_password_is_told_apart(janitor: CommandLine, least: dict[str, str]) -> None:
    least["LABWHERE_DATABASE_URL"] = least["LABWHERE_DATABASE_URL"].replace("s3cret", "s3cretly")
    (found,) = wrong(janitor("check", **least, **JOBS_OFF))
    assert "LABWHERE_DATABASE_URL: access denied at 127.0.0.1" in found
    assert "check the user and the password in the URL" in found


@pytest.mark.slow
def test_a_missing_grant_is_named_with_its_cure(
    janitor: CommandLine, least: dict[str, str], mariadb_warehouses: Warehouses, user: User
) -> None:
    url = mariadb_warehouses.mlwh_url
    user.revoke("UPDATE", url, "labware_location")
    (found,) = wrong(janitor("check", **least, **JOBS_OFF))
    assert "UPDATE command denied" in found
    assert found.endswith(f"GRANT UPDATE ON `{url.database}`.`labware_location` TO 'janitor_least'")
    assert user.server.execute(f"SELECT COUNT(*) FROM `{url.database}`.labware_location") == [(0,)]


@pytest.mark.slow
def test_delete_is_needed_only_if_it_is_wanted(
    janitor: CommandLine, least: dict[str, str], mariadb_warehouses: Warehouses, user: User
) -> None:
    wanted = {**least, **JOBS_OFF, "LABWARE_LOCATION_DELETE_ORPHANS": "true"}
    (found,) = wrong(janitor("check", **wanted))
    assert "GRANT DELETE ON" in found
    user.grant("DELETE", mariadb_warehouses.mlwh_url, "labware_location")
    assert wrong(janitor("check", **wanted)) == []


@pytest.mark.slow
def test_a_table_that_may_not_be_read_is_told(
    janitor: CommandLine, least: dict[str, str], mariadb_warehouses: Warehouses, user: User
) -> None:
    url = mariadb_warehouses.labwhere_url
    user.revoke("SELECT", url, "users")
    user.grant("SELECT (id)", url, "users")
    (found,) = wrong(janitor("check", **least, **JOBS_OFF))
    assert "denied" in found and f"GRANT SELECT ON `{url.database}`.`users` TO 'janitor_least'" in found


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite_warehouses", "mariadb_warehouses"])
def test_missing_columns_and_tables_are_named(janitor: CommandLine, request: pytest.FixtureRequest, kind: str) -> None:
    made: Warehouses = request.getfixturevalue(kind)
    with made.labwhere.begin() as connection:
        for column in ("barcode", "location_id"):
            drop = "DROP INDEX index_labwares_on_" + column + (" ON labwares" if made.server else "")
            connection.exec_driver_sql(drop)
            connection.exec_driver_sql(f"ALTER TABLE labwares DROP COLUMN {column}")
        connection.exec_driver_sql("DROP TABLE users")
    first, second = wrong(janitor("check", **made.environment(), **JOBS_OFF))
    assert "table labwares" in first and "has no columns barcode, location_id: check that" in first
    assert "a table is missing" in second and "users" in second


def test_a_server_that_is_away_does_not_end_the_check(janitor: CommandLine, sqlite_warehouses: Warehouses) -> None:
    environment = sqlite_warehouses.environment() | {"RABBITMQ_HOST": "127.0.0.1", "RABBITMQ_PORT": str(free_port())}
    environment["LABWHERE_DATABASE_URL"] = f"mysql+pymysql://anna:{PASSWORD}@127.0.0.1:{free_port()}/labwhere"
    environment["LABWHERE_DATABASE_URL"] = environment["LABWHERE_DATABASE_URL"].replace("s3cret@least/99", "s3cret99")
    ended = janitor("check", **environment)
    labwhere, broker = wrong(ended)
    assert "LABWHERE_DATABASE_URL: 127.0.0.1:" in labwhere and "cannot be reached" in labwhere
    assert "cannot connect to RabbitMQ at 127.0.0.1:" in broker
    assert "MLWH_EVENTS_DATABASE_URL: table roles" in ended.out


def test_what_two_jobs_need_of_a_database_is_looked_at_together() -> None:
    first = DatabaseNeed("LAB_DATABASE_URL", reads={"t": ("a",)}, writes={"w": ("a",)})
    second = DatabaseNeed("LAB_DATABASE_URL", reads={"t": ("b", "a")}, writes={"w": ("b",), "v": ("c",)})
    jobs = [job_of(nothing, id="one", needs=(first,)), job_of(nothing, id="two", needs=(second,))]
    ((need, names),) = everything._databases(jobs).values()
    assert (need.reads, need.writes, names) == ({"t": ("a", "b")}, {"w": ("a", "b"), "v": ("c",)}, "one, two")


@pytest.mark.slow
def test_an_exchange_is_declared_on_demand(
    janitor: CommandLine, sqlite_warehouses: Warehouses, exchange: Exchange
) -> None:
    environment = sqlite_warehouses.environment() | exchange.broker.environment()
    exchange.delete()
    named = {**environment, "SEQUENCING_PUBLISHER_EXCHANGE": exchange.name}
    (found,) = wrong(janitor("check", **named))
    assert f"exchange '{exchange.name}'" in found and "does not exist" in found and "check --declare" in found
    assert wrong(janitor("check", "--declare", **named)) == []
    assert wrong(janitor("check", **named)) == []


@pytest.mark.slow
def test_an_exchange_of_another_type_is_wrong(
    janitor: CommandLine, sqlite_warehouses: Warehouses, exchange: Exchange
) -> None:
    direct = Exchange(exchange.broker, "direct")
    try:
        environment = sqlite_warehouses.environment() | exchange.broker.environment()
        for options in ([], ["--declare"]):
            (found,) = wrong(janitor("check", *options, **environment, SEQUENCING_PUBLISHER_EXCHANGE=direct.name))
            assert f"exchange '{direct.name}'" in found and "is not as it must be" in found
    finally:
        direct.delete()


@pytest.mark.slow
def test_only_enabled_jobs_are_looked_at_but_for_all(janitor: CommandLine, sqlite_warehouses: Warehouses) -> None:
    environment = sqlite_warehouses.environment() | JOBS_OFF
    ended = janitor("check", **environment, WASHING_UP_ENABLED="true")
    assert wrong(ended) == []
    assert "note   sequencing_publisher is switched off by SEQUENCING_RUN_CHANGES_JOB_ENABLED=false" in ended.out
    assert "note   WASHING_UP_ENABLED is set, and there is no job washing_up" in ended.out
    assert "roles" not in ended.out
    (found,) = wrong(janitor("check", "--all", **environment))
    assert "RABBITMQ_HOST is missing: sequencing_publisher and sequencing_publisher_reconcile need it" in found


@pytest.mark.slow
def test_the_state_database_is_looked_at(janitor: CommandLine, sqlite_warehouses: Warehouses) -> None:
    environment = sqlite_warehouses.environment() | JOBS_OFF
    assert janitor("run", "labware_location", **environment).code == 0
    assert "can be read and written, schema 0" in janitor("check", **environment).out
    (found,) = wrong(janitor("check", **environment, STATE_DATABASE_URL="sqlite:////proc/version/state.db"))
    assert "the state database at /proc/version/state.db cannot be made" in found
    (found,) = wrong(janitor("check", **environment, STATE_DATABASE_URL=f"sqlite:///{__file__}"))
    assert "STATE_DATABASE_URL:" in found and "is not a SQLite database" in found
