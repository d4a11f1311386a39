"""The table, and the files that keep it."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.measures import Line

PIPE_COLUMNS = 180
WORDS = {True: ("yes", "green"), False: ("NO", "red"), None: ("", "")}


def print_table(lines: Sequence[Line]) -> None:
    """Print each line with its goal, and each rival with how many times as good Janitor is."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title="Janitor, and beside it what else does the same work")
    for heading in ("what", "value", "goal", "met", "rivals (their value; how many times as good Janitor is)"):
        table.add_column(heading, overflow="fold")
    for line in lines:
        word, style = WORDS[line.met]
        table.add_row(Text(line.name), Text(shown(line.value, line.unit)), line.goal, Text(word, style), _rivals(line))
    # In a pipe rich takes 80 columns: every cell would be a tower.
    Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS).print(table)


def write(folder: Path, lines: Sequence[Line], machine: dict[str, object]) -> None:
    """Write latest.json, the list of lines; machine.json, what they were measured on; and growth.json, the curves."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "latest.json", [line.as_json() for line in lines])
    _write(folder / "machine.json", machine)
    _write(folder / "growth.json", curves(lines))


def curves(lines: Sequence[Line]) -> dict[str, list[tuple[int, float, str]]]:
    """Return the growth curves by name: (labwares, value, unit), smallest first."""
    found: dict[str, list[tuple[int, float, str]]] = {}
    for line in lines:
        if line.curve:
            found.setdefault(line.curve, []).append((line.labwares, line.value, line.unit))
    return {name: sorted(points) for name, points in found.items()}


def shown(value: float | None, unit: str) -> str:
    """Write a value for people: three significant digits, and its unit."""
    if value is None:
        return "-"
    text = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
    return f"{text} {unit}"


def _rivals(line: Line) -> str:
    said = []
    for rival in line.rivals:
        ratio = line.ratio(rival)
        times = "" if ratio is None else f"; {ratio:.2g} x" if ratio < 100 else f"; {ratio:,.0f} x"
        note = f" ({rival.note})" if rival.note else ""
        said.append(f"{rival.name}: {shown(rival.value, line.unit)}{times}{note}")
    return "\n".join(said)


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
