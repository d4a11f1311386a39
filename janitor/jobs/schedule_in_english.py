"""A schedule in plain English, for the pages of the dashboard.

    every 5m                "every 5 minutes"
    cron 0 9 * * 1-5        "at 09:00 from Monday to Friday (Europe/London)"
    cron */7 * * * *        "cron */7 * * * * (Europe/London)": no plain words, so it is shown as it stands

Our own code: cron-descriptor 2.2 reads crontab lines alone. It has no words for an interval, a moment or a zone. It
does not know APScheduler's `2nd mon`, and calls `*/7` "every 7 minutes", although minute 56 is followed by minute 0.
"""

from collections.abc import Sequence

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.cron.expressions import LastDayOfMonthExpression
from apscheduler.triggers.cron.fields import BaseField
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from janitor.jobs.calendar import values
from janitor.jobs.schedules import describe

UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = tuple("January February March April May June July August September October November December".split())
MOST_TIMES = 6
"""At most so many times of a day are listed singly."""


def in_english(trigger: BaseTrigger) -> str:
    """A trigger in English, such as `every 5 minutes` or `at 01:00 every day (Europe/London)`.

    A trigger without plain words is shown as `schedules.describe` shows it.
    """
    if isinstance(trigger, IntervalTrigger):
        return _every(trigger.interval.total_seconds())
    if isinstance(trigger, DateTrigger):
        zone = trigger.run_date.tzname()
        return f"once, at {trigger.run_date:%H:%M:%S} on {trigger.run_date:%Y-%m-%d} ({zone})"
    if isinstance(trigger, CronTrigger):
        return _cron(trigger) or f"{describe(trigger)} ({trigger.timezone})"
    return describe(trigger)


def _every(seconds: float) -> str:
    name, size = next(((name, size) for name, size in UNITS if seconds % size == 0), UNITS[-1])
    number = seconds / size
    return f"every {name}" if number == 1 else f"every {number:g} {name}s"


def _cron(trigger: CronTrigger) -> str:
    fields = {field.name: field for field in trigger.fields}
    if str(fields["year"]) != "*" or str(fields["week"]) != "*":
        return ""
    seconds, minutes, hours = (values(fields[name]) for name in ("second", "minute", "hour"))
    days = _days(fields)
    if seconds is None or minutes is None or hours is None or days is None:
        return ""
    if steps := _steps(seconds, minutes, hours):
        zone = f" ({trigger.timezone})" if len(hours) < 24 or days else ""
        return f"{steps}{' ' if days else ''}{days}{zone}"
    times = _at(seconds, minutes, hours)
    return times and f"{times} {days or 'every day'} ({trigger.timezone})"


def _steps(seconds: Sequence[int], minutes: Sequence[int], hours: Sequence[int]) -> str:
    """Slots that come many times a day at an even pace; empty if they do not."""
    if len(seconds) > 1 or seconds[0]:
        return ""
    first, last = f"{hours[0]:02}:{minutes[0]:02}", f"{hours[-1]:02}:{minutes[-1]:02}"
    together, offset = list(hours) == list(range(hours[0], hours[-1] + 1)), f":{minutes[0]:02}" if minutes[0] else ""
    if len(minutes) > 1 and together and (pace := _pace(minutes, 60)):
        begin = f", from {offset}" if offset else ""
        return _every(pace * 60) + (begin if len(hours) == 24 else f" from {first} to {last}")
    if len(minutes) == 1 and len(hours) > 2 and (pace := _pace(hours, 24)):
        return _every(pace * 3600) + (f" at {offset}" if offset else "")
    if len(minutes) == 1 and together and len(hours) > MOST_TIMES:
        return f"every hour from {first} to {last}"
    return ""


def _pace(values: Sequence[int], around: int) -> int:
    step = values[1] - values[0]
    return step if around % step == 0 and list(values) == list(range(values[0] % step, around, step)) else 0


def _at(seconds: Sequence[int], minutes: Sequence[int], hours: Sequence[int]) -> str:
    if len(seconds) * len(minutes) * len(hours) > MOST_TIMES:
        return ""
    end = [f":{second:02}" for second in seconds] if any(seconds) else [""]
    times = [f"{hour:02}:{minute:02}{second}" for hour in hours for minute in minutes for second in end]
    return f"at {_listed(times)}"


def _days(fields: dict[str, BaseField]) -> str | None:
    """The days in words, empty for every day; None if they have no plain words."""
    weekdays, months = values(fields["day_of_week"]), values(fields["month"])
    days = values(fields["day"])
    if weekdays is None or months is None:
        return None
    words = []
    if any(isinstance(part, LastDayOfMonthExpression) for part in fields["day"].expressions) and days is None:
        if len(fields["day"].expressions) > 1:
            return None
        words.append("on the last day of the month")
    elif days is None:
        return None
    elif len(days) < 31:
        words.append(f"on day {_listed([str(day) for day in days])} of the month")
    if len(weekdays) < 7:
        words.append(_weekdays(weekdays))
    if len(months) < 12:
        words.append(f"in {_listed([MONTHS[month - 1] for month in months])}")
    return " ".join(words)


def _weekdays(days: Sequence[int]) -> str:
    if len(days) > 2 and list(days) == list(range(days[0], days[-1] + 1)):
        return f"from {WEEKDAYS[days[0]]} to {WEEKDAYS[days[-1]]}"
    return f"on {_listed([WEEKDAYS[day] for day in days])}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
