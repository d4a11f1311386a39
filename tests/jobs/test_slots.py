"""Slots: which comes next, and how many lie between two moments."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from hypothesis import given
from hypothesis import strategies as st

from janitor.jobs import schedules
from janitor.jobs.slots import MOST_STEPS, Slots, next_slot, slots_acted_on, slots_between
from janitor.jobs.triggers import own

LONDON = ZoneInfo("Europe/London")
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC))


@given(MOMENTS, st.sampled_from(["*/7 * * * *", "30 1 * * *", "15 */3 * * 1-5", "0 2 1 * *"]), st.integers(0, 5000))
def test_cron_slots_equal_a_walk_over_each_minute(start: datetime, fields: str, minutes: int) -> None:
    trigger = schedules.parse(f"cron {fields}", UTC, "X")
    until = start + timedelta(minutes=minutes)
    minute = start.replace(second=0, microsecond=0)
    due = []
    while (minute := minute + timedelta(minutes=1)) <= until:
        if all(
            str(value) in _values(field, value) for field, value in zip(fields.split(), _parts(minute), strict=True)
        ):
            due.append(minute)
    expected = Slots(due[0], due[-1], len(due)) if due else None
    assert slots_between(trigger, start, until) == expected


def _parts(moment: datetime) -> tuple[int, ...]:
    return moment.minute, moment.hour, moment.day, moment.month, moment.isoweekday() % 7


def _values(field: str, value: int) -> set[str]:
    """The values that a cron field matches, for the few fields of this test."""
    if field.startswith("*"):
        return {str(value)} if value % int(field.partition("/")[2] or 1) == 0 else set()
    first, _, last = field.partition("-")
    return {str(number) for number in range(int(first), int(last or first) + 1)}


def test_the_clock_and_the_count_agree_on_changed_clocks() -> None:
    trigger = schedules.parse("cron */20 * * * *", LONDON, "X")
    for start in (datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2026, 3, 28, 20, tzinfo=UTC)):
        fired, slot = [], trigger.get_next_fire_time(None, start + timedelta(microseconds=1))
        while slot.astimezone(UTC) <= start + timedelta(hours=12):
            fired.append(slot.astimezone(UTC))
            slot = trigger.get_next_fire_time(slot, slot)
        found = slots_between(trigger, start, start + timedelta(hours=12))
        assert found == Slots(fired[0], fired[-1], len(fired)) and found.count == 36


def test_a_date_is_due_once_and_never_again() -> None:
    at = datetime(2026, 7, 1, 12, tzinfo=UTC)
    trigger = DateTrigger(at, timezone=UTC)
    assert slots_between(trigger, at - timedelta(hours=1), at) == Slots(at, at, 1)
    assert next_slot(trigger, at) is None
    assert slots_between(trigger, at, at + timedelta(days=1)) is None


class Every(BaseTrigger):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """A stranger's trigger: due each second, and asked for one slot after another."""

    asked = 0

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The next whole second."""
        self.asked += 1
        return now.replace(microsecond=0) + timedelta(seconds=1 if now.microsecond else 0)


def test_a_stranger_s_trigger_is_asked_for_few_of_many_slots() -> None:
    # Given: a trigger that Janitor cannot count. What happens: three years of its slots are to be counted. What must
    # hold: it is asked some times, the last slot is right, and the count is told as at least that many.
    trigger, start = Every(), datetime(2026, 1, 1, tzinfo=UTC)
    until = start + timedelta(days=1096, milliseconds=300)
    found = slots_between(trigger, start, until)
    assert found == Slots(start + timedelta(seconds=1), until.replace(microsecond=0), MOST_STEPS)
    assert trigger.asked < MOST_STEPS + 100
    few = slots_between(trigger, start, start + timedelta(seconds=90))
    assert few == Slots(start + timedelta(seconds=1), start + timedelta(seconds=90), 90)


def test_the_clock_acts_on_the_newest_of_several_slots() -> None:
    trigger, noon = schedules.every(60), datetime(2026, 7, 1, 12, tzinfo=UTC)
    minute = timedelta(minutes=1)
    assert trigger.get_next_fire_time(noon, noon + 4.5 * minute) == noon + 4 * minute
    assert slots_acted_on(trigger, noon, noon + 4 * minute) == Slots(noon, noon + 4 * minute, 5)
    assert slots_acted_on(trigger, noon, noon) == Slots(noon, noon, 1)
    # A line may give the moment of its first run: it stands for itself.
    told = noon + 0.3 * minute
    assert slots_acted_on(trigger, told, noon + 2 * minute) == Slots(told, noon + 2 * minute, 3)


def test_a_jitter_delays_the_clock_and_moves_no_slot() -> None:
    # Given: slots each minute, and a jitter of longer than a minute. What happens: the clock goes through an hour. What
    # must hold: it acts on each slot once, in order, before the next; and the slots are whole minutes.
    trigger = own(IntervalTrigger(minutes=1, start_date=schedules.EPOCH, timezone=UTC, jitter=90))
    at = noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    acted: list[datetime] = []
    while at < noon + timedelta(hours=1):
        at = trigger.get_next_fire_time(at, at)
        acted.append(slots_acted_on(trigger, at, at).last_at)
    assert acted == [noon + timedelta(minutes=n) for n in range(1, len(acted) + 1)] and len(acted) >= 59
    assert next_slot(trigger, noon) == noon + timedelta(minutes=1)
