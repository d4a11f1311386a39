"""Whether a database is what the jobs need: it answers, is new enough, and has the tables, columns and grants."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import URL, Connection, column, select, table, text

from janitor import databases
from janitor.checks.encryption import secured_by
from janitor.checks.finding import Finding, note, ok, wrong
from janitor.databases.places import told
from janitor.errors import JanitorError
from janitor.needs import DatabaseNeed
from janitor.settings.settings import Settings

OLDEST = {"MariaDB": (10, 6), "MySQL": (8, 0, 4), "SQLite": (3, 38)}
"""The first version of each server with JSON_TABLE, or with SQLite's JSON functions."""
SMALLEST_PACKET = 1024 * 1024
"""In bytes: a page of rows goes to the server as a single parameter of some hundred kilobytes."""

_MYSQL_TYPES = (
    "SELECT column_name, column_type FROM information_schema.columns "
    "WHERE table_schema = DATABASE() AND table_name = :name"
)
_SQLITE_TYPES = "SELECT name, type FROM pragma_table_info(:name)"


def of_database(settings: Settings, need: DatabaseNeed, jobs: str) -> Iterator[Finding]:
    """Look at the database that a setting names: connection, version, tables, columns, grants. Nothing is written."""
    url = settings.needed(need.setting)
    try:
        with databases.read(url) as connection:
            yield from _of_server(connection, need, url, jobs)
    except JanitorError as exc:
        yield wrong(f"{need.setting}: {exc}")
        return
    whole = True
    for name in dict.fromkeys((*need.reads, *need.writes)):
        columns = tuple(dict.fromkeys((*need.reads.get(name, ()), *need.writes.get(name, ()))))
        deletes = name in need.deletes and bool(settings.value(need.deletes[name]))
        found = list(of_table(url, need.setting, name, columns, writes=name in need.writes, deletes=deletes))
        found += _of_numbers(url, need.setting, name, need.whole_numbers.get(name, ()))
        whole = whole and all(one.verdict != "WRONG" for one in found)
        yield from found
    if whole:
        yield from _of_used(url, need)


def _of_used(url: URL, need: DatabaseNeed) -> Iterator[Finding]:
    """Ask the objects that the run will use."""
    for make in need.uses:
        try:
            yield from (note(f"{need.setting}: {sentence}") for sentence in make(url).check())
        except JanitorError as exc:
            yield wrong(f"{need.setting}: {exc}")


def _of_numbers(url: URL, setting: str, name: str, columns: Sequence[str]) -> Iterator[Finding]:
    """Look whether columns that the task takes for whole numbers are whole numbers; nothing if that cannot be told."""
    types = _SQLITE_TYPES if databases.family(url) == "sqlite" else _MYSQL_TYPES
    try:
        with databases.read(url) as connection:
            rows = connection.execute(text(types), {"name": name}).all() if columns else []
    except JanitorError:
        return
    declared = {str(column).lower(): told(of) for column, of in rows}
    for wanted in columns:
        if (of := declared.get(wanted.lower())) is not None and "int" not in of.lower():
            where = f"{setting}: table {name} at {databases.place(url)}"
            yield wrong(f"{where}: {wanted} is {of or 'of no type'}, and this job needs whole numbers there")


def of_table(
    url: URL, setting: str, name: str, columns: Sequence[str], *, writes: bool, deletes: bool
) -> Iterator[Finding]:
    """Look at a table: its columns, and what the user may do with it."""
    where = f"{setting}: table {name} at {databases.place(url)}"
    try:
        with databases.read(url) as connection:
            if absent := _absent(connection, name, columns):
                several = "columns" if len(absent) > 1 else "column"
                lacks = f"{where} has no {several} {', '.join(absent)}"
                yield wrong(f"{lacks}: check that it is the right database, or add the {several}")
                return
            connection.execute(_query(name, columns))
    except JanitorError as exc:
        yield wrong(f"{setting}: {exc}{_grant(exc, url, name, 'SELECT')}")
        return
    may = ["read"]
    for verb in [*(("INSERT", "UPDATE") if writes else ()), *(("DELETE",) if deletes else ())]:
        try:
            with databases.begin(url) as connection:
                connection.execute(_explained(connection, verb, name, columns))
        except JanitorError as exc:
            yield wrong(f"{setting}: {exc}{_grant(exc, url, name, verb)}")
            return
        may.append(verb.lower())
    yield ok(f"{where}: {len(columns)} columns; the user may {', '.join(may)}")


def _of_server(connection: Connection, need: DatabaseNeed, url: URL, jobs: str) -> Iterator[Finding]:
    where = f"{need.setting}: {databases.place(url)}"
    if databases.family(url) == "sqlite":
        product, said = "SQLite", str(connection.execute(text("SELECT sqlite_version()")).scalar_one())
        yield _of_version(where, product, said, said, jobs)
        return
    query = text("SELECT VERSION() AS version, @@max_allowed_packet AS packet, @@read_only AS read_only")
    row = connection.execute(query).one()
    product = "MariaDB" if "mariadb" in row.version.lower() else "MySQL"
    secured = f"{row.version} as user {url.username!r}, {secured_by(connection, url)}"
    yield _of_version(where, product, row.version, secured, jobs)
    if row.packet < SMALLEST_PACKET:
        yield wrong(f"{where}: max_allowed_packet is {row.packet} bytes: set it to {SMALLEST_PACKET} or more there")
    if need.writes:
        yield from _of_binary_log(connection, where)
    if need.writes and row.read_only:
        yield wrong(
            f"{where}: the server is read-only, and {', '.join(need.writes)} is written: give the primary's URL"
        )


def _of_binary_log(connection: Connection, where: str) -> Iterator[Finding]:
    """A replicating server takes writes in READ COMMITTED only if it logs rows."""
    found = dict(
        map(tuple, connection.execute(text("SHOW VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format')")))
    )
    if found.get("log_bin") == "ON" and found.get("binlog_format") == "STATEMENT":
        yield wrong(f"{where}: binlog_format is STATEMENT, so each write is refused: set it to MIXED or ROW there")


def _of_version(where: str, product: str, version: str, said: str, jobs: str) -> Finding:
    numbers = tuple(int(part) for part in version.split("-")[0].split(".") if part.isdecimal())
    oldest = OLDEST[product]
    if numbers < oldest:
        least = ".".join(str(number) for number in oldest)
        return wrong(f"{where} is {product} {version}: Janitor needs {product} {least} or later")
    return ok(f"{where}: connected, {product} {said} ({jobs})")


def _absent(connection: Connection, name: str, columns: Sequence[str]) -> list[str]:
    """The columns that the table lacks; no column if the table is missing or hidden, as a query tells that better."""
    if connection.dialect.name == "sqlite":
        query = text("SELECT name FROM pragma_table_info(:name)")
    else:
        query = text(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = :name"
        )
    found = {str(one).lower() for one in connection.execute(query, {"name": name}).scalars()}
    if not found or connection.dialect.name != "sqlite" and _readable(connection, name, columns):
        return []
    return [wanted for wanted in columns if wanted.lower() not in found]


def _readable(connection: Connection, name: str, columns: Sequence[str]) -> bool:
    """Whether the columns are there: they can be read, or only a grant is missing.

    A server hides columns that the user may not see, so they look as if they were not there.
    """
    try:
        connection.execute(_query(name, columns))
        return True
    except JanitorError as exc:
        return _is_denied(exc)


def _query(name: str, columns: Sequence[str]) -> Any:
    return select(*(column(one) for one in columns)).select_from(table(name)).limit(0)


def _explained(connection: Connection, verb: str, name: str, columns: Sequence[str]) -> Any:
    """A statement that the server checks like the write itself, and does not execute."""
    quote = connection.dialect.identifier_preparer.quote
    target, names = quote(name), [quote(one) for one in columns]
    statements = {
        "INSERT": f"INSERT INTO {target} ({', '.join(names)}) VALUES ({', '.join('NULL' for _ in names)})",
        "UPDATE": f"UPDATE {target} SET {', '.join(f'{one} = {one}' for one in names)}",
        "DELETE": f"DELETE FROM {target}",
    }
    return text(f"EXPLAIN {statements[verb]}")


def _grant(error: JanitorError, url: URL, name: str, verb: str) -> str:
    """What an administrator can run, if a grant is missing; else nothing."""
    return f": GRANT {verb} ON `{url.database}`.`{name}` TO {url.username!r}" if _is_denied(error) else ""


def _is_denied(error: JanitorError) -> bool:
    driver_error = error.__cause__
    return driver_error is not None and driver_error.args[:1] in ((1142,), (1143,))
