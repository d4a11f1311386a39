"""The nodes that PyYAML makes of a text: what lies in them, before values are built of them."""

from collections.abc import Iterator
from typing import Any

import yaml

RESULT_TAG = "!result"
Twice = dict[int, list[tuple[str, int]]]
"""The keys that each mapping has twice, with their lines; a mapping by its node's identity."""


def inner(node: Any) -> list[Any]:
    """The values of a mapping or a list; none of a plain value."""
    if isinstance(node, yaml.MappingNode):
        return [value for _, value in node.value]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def note_twice(node: Any, noted: Twice) -> None:
    """Note the keys that mappings have twice, in a node and in all that lies in it.

    Do it before anything is built: building puts the keys of `<<` among a mapping's own, which may repeat them.
    """
    if id(node) in noted or not isinstance(node, yaml.CollectionNode):
        return
    found, seen = noted.setdefault(id(node), []), set()
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(key, yaml.ScalarNode) and key.value != "<<":
            if key.value in seen:
                found.append((str(key.value), key.start_mark.line))
            seen.add(key.value)
    for one in inner(node):
        note_twice(one, noted)


def given_twice(node: Any, noted: Twice) -> Iterator[tuple[str, int]]:
    """The keys that were noted of a node and of all that lies in it, with their lines."""
    yield from noted.get(id(node), ())
    for one in inner(node):
        yield from given_twice(one, noted)


def referred(node: Any) -> Iterator[tuple[str, int]]:
    """The jobs that `!result` names within a value, with their lines."""
    if node.tag == RESULT_TAG:
        yield str(node.value).strip(), node.start_mark.line
    else:
        for one in inner(node):
            yield from referred(one)


def is_null(node: Any) -> bool:
    """Whether nothing is there, or nothing is written."""
    return node is None or isinstance(node, yaml.ScalarNode) and node.value in ("", "~", "null")


def kind_of(node: Any) -> str:
    """What a node is, in a word."""
    return "mapping" if isinstance(node, yaml.MappingNode) else "list"
