"""Payload files: JSON objects, one a line, one after the other, or in a list; each as its bytes, with its line."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, NamedTuple

_BOM = b"\xef\xbb\xbf"
_BETWEEN = re.compile(r"[\s,]*")
_NEXT = "\n{"
"""Where the next object begins behind what is no JSON: at the beginning of a line."""


class Payload(NamedTuple):
    """A value, and the number of the line on which it begins."""

    line: int
    body: bytes


def messages(file: BinaryIO, *, is_lines: bool = False) -> Iterator[Payload]:
    """The values in a file; what is no JSON is one too, for whoever reads it to refuse. Of a list each element is one.

    There is one a line if `is_lines`, or if the first line is a value by itself. Lines are read as they come.
    """
    lines = (Payload(number, line.removeprefix(_BOM) if number == 1 else line) for number, line in enumerate(file, 1))
    first = next((one for one in lines if one.body.strip()), None)
    if first is None:
        return
    together = chain([first], lines)
    for one in _one_a_line(together) if is_lines or _is_value(first.body) else _values(together, first.line):
        yield from _elements(one)


def _one_a_line(lines: Iterable[Payload]) -> Iterator[Payload]:
    return (Payload(one.line, body) for one in lines if (body := one.body.strip()))


def _is_value(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _values(lines: Iterable[Payload], line: int) -> Iterator[Payload]:
    """Values that go over several lines."""
    content = b"".join(one.body for one in lines)
    text, at, decoder = content.decode("utf-8", "surrogateescape"), 0, json.JSONDecoder()
    while at < len(text):
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = text.find(_NEXT, at + 1)
            end = end if end >= 0 else len(text)
        yield Payload(line, text[at:end].strip().encode("utf-8", "surrogateescape"))
        between = _BETWEEN.match(text, end)
        behind = between.end() if between else end
        line += text.count("\n", at, behind)
        at = behind


def _elements(one: Payload) -> Iterator[Payload]:
    try:
        elements = json.loads(one.body) if one.body[:1] == b"[" else None
    except (ValueError, RecursionError):
        elements = None
    if elements is None:
        yield one
        return
    for element in elements:
        yield Payload(one.line, json.dumps(element).encode("ascii"))
