"""When a schedule is due around a change of clocks: the rule, worked out without Janitor's code and APScheduler's."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from janitor.jobs import schedules
from tests.cron_walk import Line, walk


def due(trigger: BaseTrigger, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Return when a schedule is due in (start, end]."""
    if isinstance(trigger, IntervalTrigger):
        seconds, first = int(trigger.interval.total_seconds()), int(start.timestamp()) + 1
        every = range(first, int(end.timestamp()) + 1)
        return [datetime.fromtimestamp(second, UTC) for second in every if second % seconds == 0]
    line = Line(schedules.describe(trigger).removeprefix("cron "))
    return walk([line], zone, start, end)[0]
