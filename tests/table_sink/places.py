"""Rows of labware_location as a task makes them, a sink for them, and what the table then holds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from hypothesis import strategies as st
from sqlalchemy import URL, Engine, MetaData, Table, event, insert, select

from janitor.table_sink import TableSink

THEN = datetime(2026, 7, 1, 12, 0, 0, 123456)
NOW = datetime(2026, 7, 2, 12, 0, 0, 654321)
QUOTED = ["'", '"', "\\", '\\"', "a'b\"c\\d\n\t\r", "%s %(a)s %%", "],[", "),(", "\\u0041", "` -- /* #", ":name"]
"""Texts that mean something in SQL, in JSON or to a driver."""
ALIKE = [
    "",
    " ",
    "x ",
    "x",
    "X",
    "é",
    "É",
    "ß",
    "ﬀ",
    "N",
    "V",
    "\x00",
    "\x1a",
    "\x1f\x1e",
    "\u2028",
    "\ufffe",
    "\x7f\x80",
    "u" * 255,
]
"""Texts that a collation takes for the same, and texts that mean something to the sink itself."""
texts = st.sampled_from(QUOTED + ALIKE) | st.text(
    st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=30
)


class Place(NamedTuple):
    """A row of labware_location, as a task makes it."""

    labware_barcode: Any = "DN1"
    location_barcode: Any = "lw-shelf-7"
    full_location_address: Any = "Sanger / Ogilvie / Shelf 7"
    coordinate_position: Any = None
    coordinate_row: Any = None
    coordinate_column: Any = None
    stored_by: Any = "ab12"
    stored_at: Any = datetime(2026, 6, 1, 9, 30)
    location_name: Any = "Shelf 7"


def sink(url: URL, **changes: Any) -> TableSink:
    options: dict[str, Any] = {
        "table": "labware_location",
        "key": "labware_barcode",
        "columns": Place._fields,
        "owner": {"lims_id": "LabWhere"},
        "newer": "stored_at",
        "created_at": "created_at",
        "updated_at": "updated_at",
    }
    return TableSink(url, **(options | changes))


def keys_in(target: TableSink, page_rows: int = 5000) -> list[Any]:
    """The keys of the owner's rows, as the sink walks over them."""
    return sorted(key for page in target.stored(page_rows) for key in (*target.keys_of(page), *page.apart))


def table(engine: Engine, name: str = "labware_location") -> Table:
    return Table(name, MetaData(), autoload_with=engine)


def stored(engine: Engine) -> dict[str, dict[str, Any]]:
    """All rows of the target by barcode, whoever owns them."""
    with engine.connect() as connection:
        found = connection.execute(select(table(engine))).mappings()
        return {row["labware_barcode"]: dict(row) for row in found}


def places(engine: Engine) -> set[Place]:
    return {Place(*(row[name] for name in Place._fields)) for row in stored(engine).values()}


def add_foreign(engine: Engine, *rows: Place) -> None:
    foreign = [row._asdict() | {"lims_id": "SQSCP", "created_at": THEN, "updated_at": THEN} for row in rows]
    with engine.begin() as connection:
        connection.execute(insert(table(engine)), foreign)


@contextmanager
def statements(verbs: tuple[str, ...], seen: Callable[[str], None]) -> Iterator[None]:
    """Call `seen` with each statement that begins with one of these verbs, just before it is sent."""

    def listen(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.startswith(verbs):
            seen(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
