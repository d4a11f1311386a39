"""The tables of figures in the documentation, made from the results of runs: `python -m benchmarks.page` writes them.

`how_fast.md` has those of `python -m benchmarks`, `how_large_things_grow.md` those of `python -m benchmarks.years`.
"""

import json
import re
from pathlib import Path
from typing import Any

from benchmarks import years_figures
from benchmarks.report import shown

DOCS = Path(__file__).parent.parent / "docs"
PAGE, PAGE_OF_YEARS = DOCS / "explanation" / "how_fast.md", DOCS / "how-to" / "how_large_things_grow.md"
RESULTS = Path(__file__).with_name("results")
NUMBER = re.compile(r"[\d.,]*\d")
PART = re.compile(r"(?<=<!-- benchmarks -->\n).*(?=<!-- end of benchmarks -->)", re.DOTALL)
PART_OF_YEARS = re.compile(r"(?<=<!-- years -->\n).*(?=<!-- end of years -->)", re.DOTALL)


def table(results: Path) -> str:
    """The lines with a goal, each at the largest size at which it was measured, with the rivals beside it."""
    largest: dict[str, dict[str, Any]] = {}
    for line in json.loads((results / "latest.json").read_text(encoding="utf-8")):
        # Sizes stand in the names, and grow from line to line.
        name = NUMBER.sub("", line["name"])
        largest.pop(name, None)
        largest[name] = line
    rows = [_row(line) for line in largest.values() if line["goal"]]
    return "\n".join(["| what | measured | goal | met | beside it |", "|---|---|---|---|---|", *rows, ""])


def _row(line: dict[str, Any]) -> str:
    beside = "; ".join(_rival(rival, line["unit"]) for rival in line["rivals"] if rival["value"] is not None)
    met = "yes" if line["met"] else "**no**"
    return f"| {line['name']} | {shown(line['value'], line['unit'])} | {line['goal']} | {met} | {beside} |"


def _rival(rival: dict[str, Any], unit: str) -> str:
    note = f" ({rival['note']})" if rival["note"] else ""
    ratio = rival["ratio"]
    times = "" if ratio is None else f", {ratio:.2g} x" if ratio < 100 else f", {ratio:,.0f} x"
    return f"{rival['name']}: {shown(rival['value'], unit)}{times}{note}"


def main() -> None:
    """Write each table into its page."""
    _put(PAGE, PART, table(RESULTS))
    _put(PAGE_OF_YEARS, PART_OF_YEARS, years_figures.table(years_figures.RESULTS))


def _put(page: Path, part: re.Pattern[str], told: str) -> None:
    page.write_text(part.sub(lambda _: told, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
