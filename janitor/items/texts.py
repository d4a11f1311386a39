"""JSON for items: what is kept of arguments and secrets, bounded, and readable by every database."""

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from janitor.errors import BadSetting

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_LONG_NUMBER = re.compile(r"\d{19}")
DEEPEST = 100
"""How deep lists and mappings may lie within one another."""


def json_text(name: str, value: Mapping[str, Any], most: int) -> str:
    """A mapping as JSON.

    Raises:
        BadSetting: it has something that JSON does not have, or is longer than `most` bytes; the error has the `name`.
    """
    try:
        text = _ENCODER.encode(value)
        size = len(text.encode())
    except UnicodeEncodeError:  # half a character: no database takes it as UTF-8
        text = json.dumps(value, separators=(",", ":"), allow_nan=False)
        size = len(text)
    except (TypeError, ValueError, RecursionError) as exc:
        raise BadSetting(name, type(value).__name__, f"give JSON values alone: {exc}") from exc
    if size > most:
        raise BadSetting(name, f"{size:,} bytes of JSON", f"give {most:,} at most, or the address of the rest")
    return text


def value_of(text: str) -> Any:
    """What a text of `json_text` holds.

    orjson reads it eight times as fast as Python does, but makes floats of whole numbers of more than 64 bits.
    """
    if _LONG_NUMBER.search(text) is None:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:  # half a character, which Python reads
            pass
    return json.loads(text)


def depth_of(value: Any, most: int = DEEPEST) -> int:
    """How deep lists and mappings lie within a value; `most` + 1 if deeper."""
    level, depth = [value], 0
    while level and depth <= most:
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        depth += bool(level)
    return depth
