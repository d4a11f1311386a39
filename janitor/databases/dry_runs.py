"""Dry runs: what a rollback would not take back is refused before the server gets it.

    SELECT, INSERT, UPDATE, DELETE ...     the first word says that a rollback takes the statement back
    any other first word                   refused: DDL and most other statements commit by themselves
    INSERT INTO t ...                      refused if t cannot roll back: its engine is MyISAM, say
    SELECT f() ...                         refused if f is a stored function that leads to such a table
    COMMIT, in whatever way                refused
    ROLLBACK of SQLite                     refused, as what came after it would be committed by itself

On MySQL and MariaDB a view, a trigger or a routine may lead to a table that cannot roll back, so its text is looked at
too. What the server says of a name is remembered for the run.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection

from janitor.errors import Rejected
from janitor.runs import current_run

_TAKEN_BACK = {
    "mysql": frozenset(
        "select insert update delete replace load with values table set show explain describe desc do "
        "savepoint release rollback".split()
    ),
    "sqlite": frozenset(
        "begin select insert update delete replace with values explain pragma create drop alter reindex analyze "
        "savepoint release rollback".split()
    ),
}
_LASTING_WORDS = {
    "set": {
        *("autocommit", "@@autocommit", "password", "statement", "role"),
        *("global", "persist", "persist_only", "@@global", "@@persist", "@@persist_only"),
    },
    "pragma": {"="},
}
"""Words that make a statement last although its first word is harmless."""
_INTO_FILES = frozenset({"outfile", "dumpfile"})
"""Words that make any statement of MySQL and MariaDB write a file; both are reserved there."""
_WITHOUT_TRANSACTION = frozenset({"begin", "select", "values", "explain", "pragma", "rollback"})
"""What SQLite may get after its transaction has ended: anything else would be committed by itself."""
_COUNTING_ON = frozenset({"nextval", "setval"})
"""Functions of MariaDB that move a sequence: no rollback moves it back."""
_ASKING = frozenset(
    "table_info table_xinfo table_list index_list index_info index_xinfo foreign_key_list foreign_key_check "
    "integrity_check quick_check".split()
)
"""What SQLite answers although the name has an argument; other pragmas are set so."""
_WRITING = frozenset({"insert", "update", "delete", "replace", "load"})
_TOKENS = re.compile(
    r"""(?P<text>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")|(?P<comment>/\*(?!M?!).*?\*/|--(?=\s).*?$|\#.*?$)"""
    r"""|(?P<value>%\(\w+\)s|%s)|`(?P<quoted>(?:[^`]|``)*)`|(?P<word>@{0,2}[\w$]+)|(?P<sign>\S)""",
    re.DOTALL | re.MULTILINE,
)


class Name(NamedTuple):
    """A name in a statement that may be a table's, and its schema; None is the session's own."""

    schema: str | None
    table: str

    @property
    def folded(self) -> "Name":
        """The name in one case: the server may not tell cases apart."""
        return Name(self.schema and self.schema.casefold(), self.table.casefold())


def refuse_lasting(connection: Connection, cursor: Any, statement: str, *others: Any) -> None:
    """In a dry run, refuse a statement whose effect a rollback would not take back; listens to an engine.

    Raises:
        Rejected: the statement would last.
    """
    if not current_run().dry_run:
        return
    family = connection.dialect.name
    tokens = list(_tokens(statement))
    words = [token.casefold() for token in tokens]
    first = next((word for word in words if word != "("), "")
    if first not in _TAKEN_BACK[family] or _lasts(family, first, words):
        raise Rejected(f"a dry run cannot take {first.upper() or 'this statement'} back, so it was not sent")
    if family == "sqlite" and first not in _WITHOUT_TRANSACTION and not _is_in_transaction(connection):
        raise Rejected(f"a dry run cannot take this {first.upper()} back, so it was not sent: its transaction is over")
    if family == "mysql" and (reason := _reason(connection, {*_written(first, tokens, words), *_called(tokens)})):
        raise Rejected(f"a dry run cannot take this {first.upper()} back, so it was not sent: {reason}")


def refuse_commit(connection: Connection) -> None:
    """In a dry run, refuse a commit that the task asks for; listens to an engine.

    Raises:
        Rejected: this is a dry run.
    """
    if current_run().dry_run:
        connection.connection.rollback()  # SQLAlchemy takes the transaction for ended, and would not roll back itself
        raise Rejected("a dry run cannot take a commit back, so it was not sent: leave it to databases.begin")


def _is_in_transaction(connection: Connection) -> bool:
    driver: Any = connection.connection.driver_connection
    return bool(driver.in_transaction)


def _lasts(family: str, first: str, words: list[str]) -> bool:
    """Whether a statement lasts although its first word is harmless."""
    if family == "sqlite":
        if first == "rollback" and "to" not in words:
            return True
        sets = first == "pragma" and "(" in words and _ASKING.isdisjoint(words)
        return sets or not _LASTING_WORDS.get(first, set()).isdisjoint(words)
    counts_on = any(words[at + 1 : at + 2] == ["("] for at, word in enumerate(words) if word in _COUNTING_ON)
    counts_on = counts_on or any(words[at : at + 3] == ["next", "value", "for"] for at in range(len(words)))
    default = first == "set" and words[1:2] == ["default"]
    return (
        counts_on
        or default
        or not _INTO_FILES.isdisjoint(words)
        or not _LASTING_WORDS.get(first, set()).isdisjoint(words)
    )


def _written(first: str, tokens: list[str], words: list[str]) -> Iterator["Name"]:
    """The names in a statement that may be those of tables that it writes to."""
    if first in ("insert", "replace", "load"):
        yield from _names(_after_into(tokens))
    elif first in _WRITING or first == "with" and not _WRITING.isdisjoint(words):
        yield from _names(tokens)


def _called(tokens: list[str]) -> Iterator["Name"]:
    """The names in a statement that may be those of functions: a bracket follows them."""
    return (name for at, name in _placed_names(tokens) if tokens[at + 1 : at + 2] == ["("])


def _tokens(statement: str) -> Iterator[str]:
    """The words, names and signs of a statement, without texts, values and comments."""
    for found in _TOKENS.finditer(statement):
        if found.lastgroup not in ("text", "comment", "value"):
            yield found["quoted"].replace("``", "`") if found.lastgroup == "quoted" else found[0]


def _after_into(tokens: list[str]) -> list[str]:
    """The table that a statement inserts into; all names if that is not plain."""
    words = [token.casefold() for token in tokens]
    if "into" not in words:
        return tokens
    start = words.index("into") + (2 if words[words.index("into") + 1 :][:1] == ["table"] else 1)
    return tokens[start : start + (3 if tokens[start + 1 : start + 2] == ["."] else 1)]


def _names(tokens: list[str]) -> Iterator[Name]:
    return (name for _, name in _placed_names(tokens))


def _placed_names(tokens: list[str]) -> Iterator[tuple[int, Name]]:
    for at, token in enumerate(tokens):
        if re.match(r"\w", token) and not token.isdigit():
            yield at, Name(tokens[at - 2], token) if at > 1 and tokens[at - 1] == "." else Name(None, token)


def _reason(connection: Connection, names: set[Name]) -> str | None:
    """Why a rollback takes nothing back in one of these tables; None if it does in all."""
    known = _known(connection)
    by_schema: dict[str | None, list[str]] = {}
    for name in sorted(names, key=str):
        if name.folded not in known:
            known[name.folded] = None
            by_schema.setdefault(name.schema, []).append(name.table)
    for schema, tables in by_schema.items():
        known |= {Name(schema, table).folded: reason for table, reason in _found(connection, schema, tables)}
    return next((reason for name in names if (reason := known[name.folded]) is not None), None)


def _known(connection: Connection) -> dict[Name, str | None]:
    """What the server has said of names in this run; somebody may change a table between two runs."""
    run, known = connection.info.get("lasting", (None, {}))
    if run is not current_run():
        known = {}
        connection.info["lasting"] = current_run(), known
    return known  # type: ignore[no-any-return]


def _found(connection: Connection, schema: str | None, tables: list[str]) -> Iterator[tuple[str, str]]:
    """Each of the tables and routines that cannot roll back, with the reason."""
    for table, engine in _asked(connection, _ENGINES, schema, tables):
        yield table, f"{table} has the engine {engine}"
    for table, kind, text in _asked(connection, _BODIES, schema, tables):
        if not text:
            yield table, f"{table} is a {kind} whose text the user may not read"
        inside = {name if name.schema else Name(schema, name.table) for name in _names(list(_tokens(text or "")))}
        if reason := _reason(connection, inside):
            yield table, f"{table} {'has' if kind == 'trigger' else 'is'} a {kind}, and {reason}"


_ENGINES = """
SELECT table_name, engine FROM information_schema.tables
WHERE table_schema = COALESCE(%(schema)s, DATABASE()) AND table_name IN %(tables)s AND engine IS NOT NULL
AND engine NOT IN (SELECT engine FROM information_schema.engines WHERE transactions = 'YES')
"""
_BODIES = """
SELECT table_name, 'view', view_definition FROM information_schema.views
WHERE table_schema = COALESCE(%(schema)s, DATABASE()) AND table_name IN %(tables)s
UNION ALL
SELECT event_object_table, 'trigger', action_statement FROM information_schema.triggers
WHERE event_object_schema = COALESCE(%(schema)s, DATABASE()) AND event_object_table IN %(tables)s
UNION ALL
SELECT routine_name, LOWER(routine_type), routine_definition FROM information_schema.routines
WHERE routine_schema = COALESCE(%(schema)s, DATABASE()) AND routine_name IN %(tables)s
AND (routine_definition IS NOT NULL OR sql_data_access NOT IN ('NO SQL', 'READS SQL DATA'))
"""


def _asked(connection: Connection, query: str, schema: str | None, tables: Iterable[str]) -> list[Any]:
    # The driver's own cursor: a statement of SQLAlchemy's would come here again.
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.execute(query, {"schema": schema, "tables": sorted(tables)})
        return list(cursor.fetchall())
