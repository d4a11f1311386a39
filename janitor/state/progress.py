"""A run's progress as a tree: a node shows what was reported for it, else the sum of its children."""

from collections.abc import Mapping
from typing import Any

Node = Mapping[str, Any]
"""`done`, `total` (None: unknown) and perhaps a `note`."""


def tree(reported: Mapping[str, Node]) -> dict[str, Node]:
    """Every node by its path, whose parts are joined by '/', each before its children in the order of their reports."""
    below: dict[str, dict[str, None]] = {}
    for path in reported:
        while path:
            parent = path.rpartition("/")[0]
            below.setdefault(parent, {})[path] = None
            path = parent
    found: dict[str, Node] = {}
    if reported:
        _add("", reported, below, found)
    return found


def indented(path: str) -> str:
    """A node's name, as far to the right as it lies deep; empty for the whole run."""
    return "  " * path.count("/") + path.rpartition("/")[2]


def _add(
    path: str, reported: Mapping[str, Node], below: Mapping[str, Mapping[str, None]], found: dict[str, Node]
) -> Node:
    found[path] = {}  # in its place before its children
    children = [_add(child, reported, below, found) for child in below.get(path, ())]
    found[path] = reported[path] if path in reported else _sum(children)
    return found[path]


def _sum(children: list[Node]) -> Node:
    totals = [child.get("total") for child in children]
    known = [total for total in totals if isinstance(total, (int, float))]
    done = [child.get("done") for child in children]
    total = sum(known) if len(known) == len(children) else None
    return {"done": sum(one for one in done if isinstance(one, (int, float))), "total": total}
