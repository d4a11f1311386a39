"""Progress as a tree: a node shows what was reported for it, or else the sum of its children."""

from collections.abc import Mapping
from typing import Any

from janitor.jobs import json_texts

Node = Mapping[str, Any]
"""`done`, `total` (None if unknown) and perhaps a `note`."""


def read(text: str | None) -> dict[str, Node]:
    """What a run reported, as it was stored, by the path of each part; a report that is none is left out."""
    found = json_texts.read(text)
    nodes = found.items() if isinstance(found, dict) else ()
    return {str(path): _node(node) for path, node in nodes if isinstance(node, dict)}


def tree(reported: Mapping[str, Node]) -> dict[str, Node]:
    """Every node by its path, such as `fetch/page 2`. A node stands before its children, in the order of reports."""
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
    """A node's name, indented by its depth; empty for the whole run."""
    return "  " * path.count("/") + path.rpartition("/")[2]


def _node(node: Mapping[str, Any]) -> Node:
    note = node.get("note")
    told = {"note": str(note)} if note else {}
    return {"done": _number(node.get("done")), "total": _number(node.get("total")), **told}


def _number(value: object) -> int | float | None:
    return value if isinstance(value, (int, float)) else None


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
    return {"done": sum(number for number in done if isinstance(number, (int, float))), "total": total}
