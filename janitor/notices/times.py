"""How a notice writes an instant and a length of time."""

from datetime import datetime, timezone

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def instant_text(moment: datetime) -> str:
    """Write an aware instant in UTC, to the second: 2026-07-01 12:00:00 UTC."""
    return f"{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def duration_text(seconds: float) -> str:
    """Write a length of time with one or two units: 850 ms, 42 s, 3 min 20 s, 2 h 5 min, 2 days 7 h."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return _two_units(whole, MINUTE, "min", 1, "s")
    if whole < 2 * DAY:
        return _two_units(whole, HOUR, "h", MINUTE, "min")
    return _two_units(whole, DAY, "days", HOUR, "h")


def _two_units(seconds: int, larger: int, larger_name: str, smaller: int, smaller_name: str) -> str:
    rest = seconds % larger // smaller
    return f"{seconds // larger} {larger_name}" + (f" {rest} {smaller_name}" if rest else "")
