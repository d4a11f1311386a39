"""Printing: tables in a terminal, tab-separated text in a pipe, JSON on demand."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import orjson

from janitor.state.progress import tree

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

MOST_OF_RESULT = 2_000
"""How much of a result is shown for people; `--json` has all of it."""

Row = Mapping[str, Any]
"""One thing to print: names to plain values, instants, lists or mappings."""


def print_listing(rows: Sequence[Row], columns: Mapping[str, str], *, as_json: bool, empty: str) -> None:
    """Print rows to stdout: as one JSON array with all their values, or the `columns` (name -> heading) of each.

    A value called `note` says for people what other values say for programs, and is not in the JSON.
    `empty` is the sentence that a terminal shows where there are no rows.
    """
    if as_json:
        print_json([{name: value for name, value in row.items() if name != "note"} for row in rows])
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
    print(orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode())


def print_run(run: Row) -> None:
    """Print all that `listings.details` tells of a run to stdout, for people."""
    seconds = "" if run["seconds"] is None else f"{run['seconds']:.2f}"
    slots = f"{run['slots']}, up to {instant(run['slot_until_at'])}" if (run["slots"] or 0) > 1 else ""
    fields = {"run": run["run"], "job": run["job"], "outcome": run["outcome"], "reason": run["reason"]}
    fields |= {"origin": run["origin"].replace("_", " "), "dry run": "yes" if run["dry_run"] else ""}
    fields |= {"slot": instant(run["slot_at"]), "slots": slots, "started": instant(run["started_at"])}
    fields |= {"ended": instant(run["ended_at"]), "seconds": seconds, "by": run["holder"]}
    fields |= {"counts": counted(run["counts"]), "attempts": run["attempts"] if run["attempts"] > 1 else ""}
    for name, value in fields.items():
        if value:
            print(f"{name:<8}  {one_line(value)}")
    for name, part in tree(run["progress"] or {}).items():
        total = "" if part["total"] is None else f" of {part['total']:g}"
        print(f"progress  {name}{': ' if name else ''}{part['done']:g}{total} {part.get('note', '')}".rstrip())
    for one in run["attempt_list"]:
        said = f"{one['outcome']} {one_line(one['reason'] or '')}".rstrip()
        print(f"attempt   {one['number']} at {instant(one['started_at'])}: {said}")
    for job, used in run["used"].items():
        print(f"used      run {used} of {job}")
    for one in run["used_by"]:
        print(f"used by   run {one['run']} of {one['job']}")
    if run["kept_because"]:
        print(f"kept      {one_line(run['kept_because'])}")
    if run["config"]:
        print(f"config    {json_line(run['config'])}")
    if run["result"] is not None:
        print(f"result    {json_line(run['result'])[:MOST_OF_RESULT]}")
    if run["log"]:
        print("\nlog (UTC)")
    for line in run["log"]:
        print(log_line(line))
    if run["traceback"]:
        print(f"\n{run['traceback'].rstrip()}")


def log_line(line: Row) -> str:
    """A line of a run's log."""
    where = f" ({line['file']}:{line['line']})" if line["file"] else ""
    return f"{line['at']:%Y-%m-%d %H:%M:%S.%f} {line['level']} {line['logger']}{where} {line['message']}"


def json_line(value: object) -> str:
    """A value as JSON on one line."""
    return orjson.dumps(value, default=str).decode()


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


def _iso(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
