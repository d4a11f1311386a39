"""Payload files: JSON objects, one a line or one after the other, each as its bytes."""

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

_BLANK = re.compile(r"\s*")


def messages(file: BinaryIO, *, is_lines: bool = False) -> Iterator[bytes]:
    """The values in a file, as their bytes; what is no JSON is a value too, for whoever reads it to refuse.

    There is one a line if `is_lines`, or if the first line is a value by itself. Lines are read as they come.
    """
    lines = (line.strip() for line in file)
    first = next((line for line in lines if line), b"")
    if not first:
        return
    if is_lines or _is_value(first):
        yield from (line for line in chain([first], lines) if line)
    else:
        yield from _values(b"\n".join([first, *lines]))


def _is_value(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _values(content: bytes) -> Iterator[bytes]:
    """Values that go over several lines, up to the end or to what is none."""
    text, at, decoder = content.decode("utf-8", "surrogateescape"), 0, json.JSONDecoder()
    while at < len(text):
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = len(text)
        yield text[at:end].encode("utf-8", "surrogateescape")
        blank = _BLANK.match(text, end)
        at = blank.end() if blank else end
