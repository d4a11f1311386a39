"""Statements as they were sent, and what they read from end to end: noted while something works, explained after it."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import URL, Connection, Engine, event

from janitor import databases

MADE_UP = re.compile(r"page|newest|CONSTANT|one|some|of_\d+|anon_\d+|\d+")
"""Names of a statement's own parts in SQLite's plans."""


class Sent(NamedTuple):
    """A statement as it went to a database, and what was going on."""

    url: URL
    statement: str
    parameters: Any
    options: Any
    during: str = ""

    @property
    def shape(self) -> str:
        """The statement without its values: lists of any length are one shape."""
        bare = re.sub(r"'[^']*'|\"[^\"]*\"|%s|%\(\w+\)s|\?|:\w+|\b\d+\b", "?", self.statement)
        return re.sub(r"[\s,()?]+", " ", bare)


class Sends(list[Sent]):
    """All that was sent; `during` is what is going on."""

    during = ""

    def note(self, connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, *_: Any) -> None:
        """Remember a statement, as SQLAlchemy tells of it."""
        if re.match(r"\s*(--.*\n\s*)*(SELECT|INSERT|UPDATE|DELETE|WITH)", statement):
            options = getattr(context, "execution_options", {})  # none goes straight to the driver
            self.append(Sent(connection.engine.url, statement, parameters, options, self.during))

    def of_each_shape(self, urls: Collection[URL]) -> list[Sent]:
        """The shortest and the longest of each shape."""
        found: dict[tuple[URL, str], list[Sent]] = {}
        for sent in self:
            if sent.url in urls and not re.search("information_schema|sqlite_master", sent.statement):
                found.setdefault((sent.url, sent.shape), []).append(sent)
        return [pick(each, key=lambda one: len(one.statement)) for each in found.values() for pick in (min, max)]


@contextmanager
def noted() -> Iterator[Sends]:
    """Note what is sent inside the block."""
    sends = Sends()
    event.listen(Engine, "before_cursor_execute", sends.note)
    try:
        yield sends
    finally:
        event.remove(Engine, "before_cursor_execute", sends.note)


def scans(sent: Sent, small: Collection[str]) -> list[str]:
    """The tables that a statement reads from end to end, `small` tables and what has a LIMIT aside."""
    if re.match(r"INSERT (IGNORE )?INTO \S+ \([^)]*\) VALUES", sent.statement):
        return []  # it reads nothing, which MariaDB calls ALL
    is_sqlite = databases.family(sent.url) == "sqlite"
    with databases.begin(sent.url) as connection:
        explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN FORMAT=TRADITIONAL "
        cursor = connection.connection.cursor()
        if sent.options.get("no_parameters"):
            cursor.execute(explain + sent.statement)
        else:
            many = sent.parameters and isinstance(sent.parameters, list)
            cursor.execute(explain + sent.statement, sent.parameters[0] if many else sent.parameters)
        names = [column[0].lower() for column in cursor.description or ()]
        plan = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    found = _sqlite_scans(plan, sent, small) if is_sqlite else _mysql_scans(plan, sent, small)
    return [f"{sent.during}: {scan}: {sent.statement[:400]}" for scan in found]


def _mysql_scans(plan: list[dict[str, Any]], sent: Sent, small: Collection[str]) -> list[str]:
    found = []
    for step in plan:
        table, kind = str(step["table"]), step["type"]
        bounded = kind == "index" and _is_bounded(sent) and "filesort" not in str(step["extra"])
        made_up = table.startswith("<") or table == "s"  # a derived table, or the values of the statement itself
        if kind in ("ALL", "index") and not bounded and not made_up and table not in small:
            found.append(f"{table} ({kind})")
    return found


def _is_bounded(sent: Sent) -> bool:
    """Whether a scan ends soon: a condition that the index does not serve could pass over any number of rows first."""
    return "LIMIT" in sent.statement and "WHERE" not in sent.statement.replace("WHERE 1 ", "")


def _is_all_that_are_known(detail: str, statement: str) -> re.Match[str] | None:
    """Whether a search finds each row that has any value at all: SQLite calls that a search too."""
    found = re.match(r"SEARCH (\w+) .*\((\w+)>\?\)$", detail)
    return found if found and f"{found[2]} IS NOT NULL" in statement else None


def _sqlite_scans(plan: list[dict[str, Any]], sent: Sent, small: Collection[str]) -> list[str]:
    found = []
    sorts = any("TEMP B-TREE FOR ORDER BY" in step["detail"] for step in plan)
    for step in plan:
        scanned = re.match(r"SCAN (\w+)", step["detail"]) or _is_all_that_are_known(step["detail"], sent.statement)
        bounded = _is_bounded(sent) and not sorts
        if scanned and not MADE_UP.fullmatch(scanned[1]) and scanned[1] not in small and not bounded:
            found.append(scanned[0])
    return found
