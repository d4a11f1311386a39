"""Printing: tables in a terminal, tab-separated text in a pipe, JSON on demand."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import orjson

OUTCOME_STYLES = {
    "succeeded": "green",
    "failed": "red",
    "timed_out": "red",
    "running": "cyan",
    "skipped": "yellow",
    "missed": "yellow",
    "cancelled": "yellow",
    "interrupted": "yellow",
}

Row = Mapping[str, Any]
"""One thing to print: names to plain values, instants, lists or mappings."""


def print_listing(rows: Sequence[Row], columns: Mapping[str, str], *, as_json: bool, empty: str) -> None:
    """Print rows to stdout: as one JSON array with all their values, or the `columns` (name -> heading) of each.

    `empty` is the sentence that a terminal shows where there are no rows.
    """
    if as_json:
        print_json(rows)
    elif not sys.stdout.isatty():
        print("\t".join(columns))
        for row in rows:
            print("\t".join(_plain(row.get(name)) for name in columns))
    elif rows:
        _print_table(rows, columns)
    else:
        print(empty)


def print_json(value: object) -> None:
    """Print a value to stdout as indented JSON; instants are ISO 8601 in UTC."""
    print(orjson.dumps(value, default=_json, option=orjson.OPT_INDENT_2).decode())


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Print `name  value` lines to stdout, the values beneath each other; fields without a value are left out."""
    shown = [(name, value) for name, value in fields if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        print(f"{name:<{width}}  {value}")


def instant(moment: datetime | None) -> str:
    """A moment for people: UTC, to the second."""
    return "" if moment is None else f"{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S}"


def counted(counts: Mapping[str, Any] | None) -> str:
    """A run's counts on one line."""
    return " ".join(f"{name}={value}" for name, value in (counts or {}).items())


def one_line(text: object) -> str:
    """A text without line breaks and tabs."""
    return " ".join(str(text).split())


def _print_table(rows: Sequence[Row], columns: Mapping[str, str]) -> None:
    # Rich takes a tenth of a second to import, which a pipe should not have to wait for.
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        cells = [_cell(row.get(name)) for name in columns]
        table.add_row(*(Text(cell, OUTCOME_STYLES.get(cell, "")) for cell in cells))
    Console(highlight=False).print(table)


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, Mapping):
        return counted(value)
    return "" if value is None else one_line(value)


def _plain(value: object) -> str:
    return _iso(value) if isinstance(value, datetime) else _cell(value)


def _json(value: object) -> object:
    return _iso(value) if isinstance(value, datetime) else str(value)


def _iso(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
