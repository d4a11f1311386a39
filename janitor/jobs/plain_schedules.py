"""Schedules as people also write them: each becomes the text that `schedules.parse` reads, or a hint at it.

@daily, hourly                 cron 0 0 * * *, cron 0 * * * *
02:00, daily at 2, at 2 pm     cron 0 2 * * *, cron 0 14 * * *
every 5min, every hour         every 5m, every 1h
*/5 * * * *                    cron */5 * * * *
"""

import re

NICKNAMES = {
    "hourly": "cron 0 * * * *",
    "daily": "cron 0 0 * * *",
    "midnight": "cron 0 0 * * *",
    "weekly": "cron 0 0 * * 0",
    "monthly": "cron 0 0 1 * *",
    "yearly": "cron 0 0 1 1 *",
    "annually": "cron 0 0 1 1 *",
}
UNITS = {
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
}
EVERY = re.compile(rf"@?every\s+(?P<number>\d+(?:\.\d+)?)?\s*(?P<unit>{'|'.join(sum(UNITS.values(), ()))})")
WEEKS = re.compile(r"@?every\s+(?P<number>\d+)?\s*(?:w|week|weeks)")
TIME = re.compile(
    r"(?P<days>(?:daily|every day)\s+)?(?:at\s+)?(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?\s*(?P<half>am|pm)?"
)
FIVE_FIELDS = re.compile(r"[\d*][\w*/,-]*(?:\s+[\w*/,-]+){4}")


def plain(text: str) -> str:
    """A schedule's text in the form that `schedules.parse` reads; a text that is none of these stays as it is."""
    said = " ".join(text.lower().split())
    if said.removeprefix("@") in NICKNAMES:
        return NICKNAMES[said.removeprefix("@")]
    if match := EVERY.fullmatch(said):
        unit = next(short for short, names in UNITS.items() if match["unit"] in names)
        return f"every {match['number'] or 1}{unit}"
    if match := WEEKS.fullmatch(said):
        return f"every {int(match['number'] or 1) * 7}d"
    if (match := TIME.fullmatch(said)) and (match["days"] or match["minute"] or match["half"]):
        return _daily(match) or text
    return f"cron {said}" if FIVE_FIELDS.fullmatch(said) else text


def hint(text: str) -> str:
    """What a text that is no schedule may mean; empty if nothing is near."""
    said = " ".join(text.lower().split())
    if TIME.fullmatch(said):
        return "give a time of day from 00:00 to 23:59, such as '02:00'"
    if said.startswith("@"):
        return f"give one of {', '.join(f'@{name}' for name in NICKNAMES)}"
    if re.fullmatch(r"every\s+[\d.]+", said):
        return f"give a unit too: '{said}s', '{said}m', '{said}h' or '{said}d'"
    return ""


def _daily(match: re.Match[str]) -> str | None:
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"] == "pm" else 0)
    return f"cron {minute} {hour} * * *" if hour < 24 and minute < 60 else None
