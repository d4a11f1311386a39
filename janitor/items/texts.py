"""JSON for items: what is kept of arguments and secrets, bounded, and readable by every database."""

import json
from collections.abc import Mapping
from typing import Any

from janitor.errors import BadSetting

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
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
