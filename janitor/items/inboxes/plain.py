"""Values of brokers and databases as plain JSON: what an item keeps of where it came from."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any


def plain(value: Any) -> Any:
    """A value as JSON has it.

    Moments, days and times are texts in ISO 8601, as they stand, and decimals are texts with all their digits. A span
    of time is a number of seconds. Bytes are a text if they are UTF-8, else their hexadecimal digits. Numbers that JSON
    does not have are texts.
    """
    match value:
        case None | bool() | str():
            return value
        case int():
            return int(value)
        case float():
            return value if abs(value) < float("inf") else str(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes() | bytearray() | memoryview():
            return _text(bytes(value))
        case Mapping():
            return {str(name): plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case Decimal() | uuid.UUID():
            return str(value)
    return str(value)


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()
