"""The figures of `benchmarks.years`, with their goals; and the table of them, for the documentation."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report import shown

RESULTS = Path(__file__).with_name("results") / "years.json"


@dataclass(frozen=True)
class Asked:
    """A request or a verb, and how long it took for the first time and at the longest after that: milliseconds."""

    what: str
    first: float
    later: float


@dataclass(frozen=True)
class Figure:
    """What was measured on a kind of database; `of` names the slowest page or verb. Without a `goal` it is only told.

    The value must not exceed the goal; if `at_least`, it must not be below.
    """

    database: str
    what: str
    value: float
    unit: str
    goal: float | None = None
    at_least: bool = False
    of: str = ""

    @property
    def ratio(self) -> float | None:
        """How much of the goal it takes: up to 1 the goal is met."""
        if self.goal is None:
            return None
        return self.goal / max(self.value, 1e-9) if self.at_least else self.value / self.goal

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None if there is none."""
        return None if self.ratio is None else self.ratio <= 1

    @property
    def goal_text(self) -> str:
        """The goal in words; empty if there is none."""
        return "" if self.goal is None else f"{'>=' if self.at_least else '<='} {shown(self.goal, self.unit)}"

    def as_json(self) -> dict[str, Any]:
        """The figure as years.json has it."""
        ratio = None if self.ratio is None else round(self.ratio, 3)
        facts = {"database": self.database, "what": self.what, "value": float(f"{self.value:.4g}"), "unit": self.unit}
        return facts | {"goal": self.goal_text, "met": self.met, "ratio": ratio, "of": self.of}


def slowest(database: str, what: str, taken: Mapping[str, float], unit: str, goal: float) -> Figure:
    """The figure of the slowest of several, by name."""
    name = max(taken, key=lambda one: taken[one])
    return Figure(database, what, taken[name], unit, goal, of=name)


def write(path: Path, sizes: Mapping[str, Any], figures: Sequence[Figure], each: Sequence[Asked]) -> None:
    """Write the figures of one kind of database into years.json, and the milliseconds of each page, call and verb.

    If the file is there, and has figures of the same sizes, those of the other kind stay in it.
    """
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if any(before.get(name) != size for name, size in sizes.items()):
        before = {}
    database = figures[0].database
    lines = [
        {"database": database, "what": one.what, "first_ms": round(one.first, 1), "later_ms": round(one.later, 1)}
        for one in each
    ]
    found = {
        **sizes,
        "figures": _beside(before.get("figures", []), [one.as_json() for one in figures], database),
        "each": _beside(before.get("each", []), lines, database),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def table(path: Path) -> str:
    """The figures as a Markdown table, a row for each, with a column for each kind of database."""
    if not path.exists():
        return "Not measured yet.\n"
    found = json.loads(path.read_text(encoding="utf-8"))
    figures: list[dict[str, Any]] = found["figures"]
    databases = list(dict.fromkeys(one["database"] for one in figures))
    said = f"{found['runs']:,} runs of {found['jobs']:,} jobs, {found['lines']:,} log lines"
    rows = [f"With {said}:", "", _row(["what", "goal", *databases]), "|" + "---|" * (2 + len(databases))]
    for what in dict.fromkeys(one["what"] for one in figures):
        of_kind = {one["database"]: one for one in figures if one["what"] == what}
        goal = next(iter(of_kind.values()))["goal"]
        rows.append(_row([what, goal, *(_cell(of_kind.get(database)) for database in databases)]))
    return "\n".join([*rows, ""])


def _beside(before: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]], database: str) -> list[dict[str, Any]]:
    """The new entries of a database and those of the other, SQLite's first."""
    kept = [one for one in before if one["database"] != database]
    return sorted([*kept, *new], key=lambda one: one["database"] != "SQLite")


def _cell(figure: Mapping[str, Any] | None) -> str:
    if figure is None:
        return ""
    of = f" (`{figure['of']}`)" if figure["of"] else ""
    missed = ", **missed**" if figure["met"] is False else ""
    return f"{shown(figure['value'], figure['unit'])}{of}{missed}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
