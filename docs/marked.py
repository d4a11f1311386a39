"""Generated parts of a page: between two marks, and tables whose first columns come from the code.

    <!-- generated: settings -->
    ...written by `python -m docs.generate`...
    <!-- end: settings -->

A part may keep cells that people wrote. The code gives the first cells of each row. The other cells are taken from the
page as it is, by the row's first cell. A row that is new gets empty cells, and the check complains of each.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence

Part = Callable[[str], str]
"""What writes a part: it gets the part as it is, and returns the part as it must be."""
Row = Sequence[str]

_MARKED = re.compile(r"<!-- generated: (?P<name>[\w-]+) -->\n(?P<text>.*?)<!-- end: (?P=name) -->", re.DOTALL)
_CELL = re.compile(r"(?<!\\)\|")
_HEADING = re.compile(r"^### (.+)$", re.MULTILINE)


def written(page: str, parts: Mapping[str, Part]) -> str:
    """The page with each of its parts written anew.

    Raises:
        LookupError: the page has other parts than `parts`.
    """
    there = [match["name"] for match in _MARKED.finditer(page)]
    if sorted(there) != sorted(parts):
        raise LookupError(f"the page marks {sorted(there)}, and the generator writes {sorted(parts)}")
    return _MARKED.sub(lambda match: _between(match["name"], parts[match["name"]](match["text"])), page)


def _between(name: str, text: str) -> str:
    return f"<!-- generated: {name} -->\n\n{text.strip()}\n\n<!-- end: {name} -->"


def table(header: Row, rows: Sequence[Row], old: str = "") -> str:
    """A Markdown table; rows that are shorter than the header keep their last cells of the table `old`."""
    kept = {row[0]: row for row in cells(old)}
    lines = [line(header), "|" + "---|" * len(header)]
    for row in rows:
        rest = kept.get(row[0], [])[len(row) : len(header)] if len(row) < len(header) else []
        lines.append(line([*row, *rest, *[""] * (len(header) - len(row) - len(rest))]))
    return "\n".join(lines)


def line(row: Row) -> str:
    """One line of a table."""
    return "| " + " | ".join(row) + " |"


def cells(text: str) -> list[list[str]]:
    """Each row of the tables in a text, without the lines that head them."""
    lines = [one for one in text.splitlines() if one.startswith("|")]
    ruled = {number for number, one in enumerate(lines) if set(one) <= set("|-: ")}
    heads = ruled | {number - 1 for number in ruled}
    return [split(one) for number, one in enumerate(lines) if number not in heads]


def split(row: str) -> list[str]:
    """The cells of one line of a table."""
    return [cell.strip() for cell in _CELL.split(row.strip())[1:-1]]


def sections(text: str) -> dict[str, str]:
    """What stands below each heading of the third level."""
    parts = _HEADING.split(text)
    return dict(zip(parts[1::2], parts[2::2]))


def sentence(section: str) -> str:
    """The first paragraph of a section; empty before any was written."""
    paragraphs = [one.strip() for one in section.strip().split("\n\n")]
    return "" if not paragraphs or paragraphs[0].startswith("|") else paragraphs[0]


def empty(page: str, kept: Collection[str]) -> list[str]:
    """The rows and the headings without words, in those parts whose last cells people write."""
    found = []
    for match in (match for match in _MARKED.finditer(page) if match["name"] in kept):
        below = sections(match["text"])
        found += [name for name, text in below.items() if not sentence(text)]
        for name, text in (below or {match["name"]: match["text"]}).items():
            found += [f"{row[0]} of {name}" for row in cells(text) if not row[-1]]
    return found


def code(text: object) -> str:
    """A cell that shows code."""
    return f"`{text}`".replace("|", "\\|")
