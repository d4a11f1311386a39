"""Printing: tables in a terminal, tab-separated text in a pipe, JSON on demand."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import orjson

from janitor.logs.escapes import LAID_OUT, visible
from janitor.runs.bounds import shortened
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

LONGEST_CELL = 500
"""How many bytes of a text are shown among others; `show` has the whole."""
MOST_OF_RESULT = 2_000
"""How much of a result is shown for people; `--json` has all of it."""

Row = Mapping[str, Any]
"""One thing to print: names to plain values, instants, lists or mappings."""


def print_listing(rows: Sequence[Row], columns: Mapping[str, str], *, as_json: bool, empty: str) -> None:
    """Print rows to stdout: as one JSON array with all their values, or as a table of the `columns` (name -> heading).

    A value called `note` says for people what other values say for programs, so it is not in the JSON.
    `empty` is the sentence that a terminal shows if there are no rows.
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
    print(_json(value, orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))


def print_run(run: Row) -> None:
    """Print all that `listings.details` tells of a run to stdout, for people."""
    for line in run_lines(run):
        print(visible(line, keep=LAID_OUT))


def run_lines(run: Row) -> Iterator[str]:
    """All that `listings.details` tells of a run, as lines for people."""
    for name, value in _facts(run).items():
        if value:
            yield f"{name:<8}  {one_line(value)}"
    for name, part in tree(run["progress"] or {}).items():
        total = "" if part["total"] is None else f" of {part['total']:g}"
        done = "" if part["done"] is None else f"{part['done']:g}"
        yield f"progress  {name}{': ' if name else ''}{done}{total} {part.get('note', '')}".rstrip()
    for attempt in run["attempt_list"]:
        said = f"{attempt['outcome']} {one_line(attempt['reason'] or '')}".rstrip()
        yield f"attempt   {attempt['number']} at {instant(attempt['started_at'])}: {said}"
    yield from _connections(run)
    if run["log"]:
        yield "\nlog (UTC)"
    yield from map(log_line, run["log"])
    if run["traceback"]:
        yield f"\n{run['traceback'].rstrip()}"


def _facts(run: Row) -> dict[str, object]:
    """The facts that stand at the top; a fact without a value is not shown."""
    return {
        "run": run["run"],
        "job": run["job"],
        "outcome": run["outcome"],
        "reason": run["reason"],
        "origin": run["origin"].replace("_", " "),
        "dry run": "yes" if run["dry_run"] else "",
        "slot": instant(run["slot_at"]),
        "slots": f"{run['slots']}, up to {instant(run['slot_until_at'])}" if (run["slots"] or 0) > 1 else "",
        "started": instant(run["started_at"]),
        "ended": instant(run["ended_at"]),
        "seconds": "" if run["seconds"] is None else f"{run['seconds']:.2f}",
        "by": run["holder"],
        "counts": counted(run["counts"]),
        "attempts": run["attempts"] if run["attempts"] > 1 else "",
    }


def _connections(run: Row) -> Iterator[str]:
    """Which runs it used and was used by, and what is kept of it."""
    for job, used in run["used"].items():
        yield f"used      run {used} of {job}"
    for user in run["used_by"]:
        yield f"used by   run {user['run']} of {user['job']}"
    if run["kept_because"]:
        yield f"kept      {one_line(run['kept_because'])}"
    if run["config"]:
        yield f"config    {json_line(run['config'])}"
    if run["result"] is not None:
        yield f"result    {json_line(run['result'])[:MOST_OF_RESULT]}"


def log_line(line: Row) -> str:
    """A line of a run's log."""
    where = f" ({line['file']}:{line['line']})" if line["file"] else ""
    text = f"{line['at']:%Y-%m-%d %H:%M:%S.%f} {line['level']} {line['logger']}{where} {line['message']}"
    return visible(text, keep=LAID_OUT)


def json_line(value: object) -> str:
    """A value as JSON on one line."""
    return _json(value, 0)


def _json(value: object, option: int) -> str:
    try:
        return orjson.dumps(value, default=str, option=option).decode()
    except TypeError:  # numbers beyond 64 bits, half a character
        return json.dumps(value, default=str, indent=2 if option else None)


def instant(moment: datetime | None) -> str:
    """A moment for people: UTC, to the second."""
    return "" if moment is None else f"{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S}"


def counted(counts: Mapping[str, Any] | None) -> str:
    """A run's counts on one line."""
    return visible(" ".join(f"{name}={value}" for name, value in (counts or {}).items()))


def one_line(text: object) -> str:
    """A text without line breaks and tabs; what steers a terminal is shown as an escape."""
    return visible(" ".join(str(text).split()))


def _print_table(rows: Sequence[Row], columns: Mapping[str, str]) -> None:
    # Rich takes a tenth of a second to import; a pipe does not need it.
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        cells = [shortened(_cell(row.get(name)), LONGEST_CELL) for name in columns]
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
