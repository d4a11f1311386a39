"""What a listener yields: a row or a problem, each with what its message says about itself.

    {"row": {...}, "message_id": ..., "timestamp": ..., "type": ..., "correlation_id": ..., "headers": {...}}
    {"problem": "these bytes ...", "message_id": ..., ...}

Every value can be written as JSON; instants are texts in ISO 8601, in UTC.
"""

from datetime import datetime, timezone
from typing import Any

Heard = dict[str, Any]


def as_json(value: Any) -> Any:
    """A value as JSON can hold it."""
    match value:
        case dict():
            return {str(name): as_json(each) for name, each in value.items()}
        case list() | tuple():
            return [as_json(each) for each in value]
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).isoformat()
        case bytes():
            return value.decode("utf-8", "replace")
    return str(value)
