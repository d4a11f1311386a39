"""Cron lines: five fields of a crontab to a trigger, and a trigger back to such a line.

A crontab counts weekdays from Sunday, which is 0 and 7. APScheduler counts them from Monday, which is 0. So weekdays
are handed on, and shown, by name.
"""

import re
from datetime import datetime, timezone, tzinfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.cron.expressions import AllExpression, RangeExpression, WeekdayRangeExpression
from apscheduler.triggers.cron.fields import BaseField

from janitor.jobs.cron_slots import CronSlots

LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)
FIELDS = ("minute", "hour", "day", "month", "day_of_week")
"""The fields of a line, in order, as APScheduler calls them."""
TIMES = ("hour", "minute", "second")
LABELS = {"day": "day of the month", "day_of_week": "weekday"}
RANGES = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "day_of_week": (0, 7)}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FROM_MONDAY = (*WEEKDAYS[1:], WEEKDAYS[0])
NAMES = {
    "month": {name: number for number, name in enumerate(MONTHS, 1)},
    "day_of_week": {name: number for number, name in enumerate(WEEKDAYS)},
}
PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")
LAST_DAY = "last"


def cron_trigger(line: str, zone: tzinfo) -> CronSlots:
    """The trigger of five fields; `zone` is the zone of its times.

    Raises:
        ValueError: the fields are no cron line, or no day matches; the text says what would be right.
    """
    fields = line.lower().split()
    if len(fields) != len(FIELDS):
        raise ValueError(f"a cron line has five fields: give minute, hour, day, month and weekday, not {len(fields)}")
    if fields[2] != "*" and fields[4] != "*":
        raise ValueError("give either a day of the month or a weekday, and '*' for the other")
    read = {name: _field(name, text) for name, text in zip(FIELDS, fields, strict=True)}
    trigger = CronSlots(CronTrigger(**read, timezone=zone))
    require_slots(trigger)
    return trigger


def require_slots(trigger: BaseTrigger) -> None:
    """Refuse a line that no day of any year matches.

    Raises:
        ValueError: there is no such day.
    """
    if isinstance(trigger, CronSlots) and trigger.slot_after(LONG_AGO) is None:
        raise ValueError("give a day that some month has: this one never comes")


def cron_line(trigger: CronTrigger) -> str:
    """A trigger as five fields; its fields by name if five cannot say the same."""
    fields = {field.name: _shown(field) for field in trigger.fields}
    plain = fields["year"] == "*" and fields["week"] == "*" and fields["second"] == "0"
    if plain and (fields["day"] == "*" or fields["day_of_week"] == "*"):
        return " ".join(fields[name] for name in FIELDS)
    return " ".join(f"{name}={text}" for name, text in fields.items() if text != "*" or name in TIMES)


def _field(name: str, text: str) -> str:
    """A field as APScheduler reads it: each weekday by its name, and no step behind names."""
    if text == "*" or (name == "day" and text == LAST_DAY):
        return text
    numbers = [number for part in text.split(",") for number in _numbers(name, part)]
    if name == "day_of_week":
        return ",".join(dict.fromkeys(WEEKDAYS[number % 7] for number in numbers))
    named = any(letter.isalpha() for letter in text)
    return ",".join(map(str, sorted(set(numbers)))) if named and "/" in text else text


def _numbers(name: str, part: str) -> range:
    least, most = RANGES[name]
    match = PART.fullmatch(part)
    first, last, step = (_number(name, match[group], part) if match else None for group in ("first", "last", "step"))
    alone = first is not None and step is None
    top = last if last is not None else (first if alone else min(most, 6) if name == "day_of_week" else most)
    first = least if first is None else first
    if top == 0 and first and name == "day_of_week":
        top = 7  # from Friday to Sunday
    # APScheduler refuses a step that leads out of the range.
    longest = most - least if name == "day_of_week" else (top or 0) - first
    fits = step is None or 0 < step <= longest
    if match is None or top is None or not least <= first <= top <= most or not fits:
        raise ValueError(_refused(name, part))
    return range(first, top + 1, step or 1)


def _number(name: str, text: str | None, part: str) -> int | None:
    if text is None:
        return None
    number = NAMES.get(name, {}).get(text, int(text) if re.fullmatch("[0-9]{1,4}", text) else None)
    if number is None:
        raise ValueError(_refused(name, part))
    return number


def _refused(name: str, part: str) -> str:
    label, (least, most) = LABELS.get(name, name), RANGES[name]
    words = {"month": ", or jan to dec", "day_of_week": ", or sun to sat", "day": f", or {LAST_DAY}"}.get(name, "")
    return f"the {label} {part!r} cannot be: give {least} to {most}{words}, also as 1-5, 1,3 or */2"


def _shown(field: BaseField) -> str:
    """A field's text; weekdays that APScheduler numbers have their names."""
    if field.name != "day_of_week" or str(field) == "*":
        return str(field)
    return ",".join(_weekdays(part) for part in field.expressions)


def _weekdays(part: AllExpression) -> str:
    if isinstance(part, WeekdayRangeExpression):
        return str(part)
    first, last = (part.first, part.last) if isinstance(part, RangeExpression) else (0, 6)
    days = FROM_MONDAY[first : (6 if last is None else last) + 1 : part.step or 1]
    return f"{days[0]}-{days[-1]}" if len(days) > 2 and not part.step else ",".join(days)
