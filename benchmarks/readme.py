"""The table in the README, from the results of a run: `python -m benchmarks.readme` writes it anew."""

import json
import re
from pathlib import Path
from typing import Any

from benchmarks.report import shown

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).with_name("results")
PART = re.compile(r"(?<=<!-- benchmarks -->\n).*(?=<!-- end of benchmarks -->)", re.DOTALL)


def table(results: Path) -> str:
    """The lines with a goal, at the largest size and once; each with the rivals beside it."""
    lines = json.loads((results / "latest.json").read_text(encoding="utf-8"))
    about = json.loads((results / "machine.json").read_text(encoding="utf-8"))
    rows = [_row(line) for line in lines if line["goal"] and _is_largest(line["name"], about["labwares"])]
    return "\n".join(["| what | measured | goal | met | beside it |", "|---|---|---|---|---|", *rows, ""])


def _is_largest(name: str, labwares: int) -> bool:
    """Whether a line is not that of a smaller size: sizes stand in names as 10,000 labwares or 30,000 audits."""
    smaller = [size for size in (10_000, 100_000) if size < labwares]
    spoken = [f"{count:,} {what}" for size in smaller for count, what in _sizes(size)]
    over = " over " in name and "without news, at" in name
    return over or not any(name.endswith(one) or f"{one}," in name or f"{one} into" in name for one in spoken)


def _sizes(labwares: int) -> list[tuple[int, str]]:
    return [(labwares, "labwares"), (3 * labwares, "audits"), (labwares, "products"), (labwares, "equal rows")]


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
    """Write the table into the README."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(PART.sub(lambda _: table(RESULTS), text), encoding="utf-8")


if __name__ == "__main__":
    main()
