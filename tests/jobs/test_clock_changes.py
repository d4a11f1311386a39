"""How clocks change: periods of one offset, found for any kind of zone."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest

from janitor.jobs.clock_changes import Clocks
from tests.cron_walk import changes

YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC))
HOUR = timedelta(hours=1)


class Rule(tzinfo):
    """A zone of somebody's own, without a hash: an hour ahead in the second half of each year."""

    __hash__ = None  # type: ignore[assignment]

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """An hour from July on."""
        return HOUR if moment is not None and moment.month > 6 else timedelta()

    def tzname(self, moment: datetime | None) -> str:
        """A name of its own."""
        return "RULE"

    def dst(self, moment: datetime | None) -> timedelta:
        """As its offset."""
        return self.utcoffset(moment)


@pytest.mark.parametrize("name", ["Europe/Berlin", "Australia/Lord_Howe", "Antarctica/Troll", "Africa/Casablanca"])
def test_a_period_begins_at_each_change_and_has_one_offset(name: str) -> None:
    zone = ZoneInfo(name)
    periods = list(Clocks(zone).periods(*YEAR))
    assert [one.begin for one in periods[1:]] == changes(zone, 2026) and len(periods) > 2
    for one, following in zip(periods, periods[1:], strict=False):
        assert one.end == following.begin and one.offset == following.before
        for at in (one.begin, one.end - timedelta(seconds=1)):
            assert at.astimezone(zone).utcoffset() == one.offset
        assert following.begin.astimezone(zone).replace(tzinfo=None) == following.shown
        assert following.expected - following.shown == one.offset - following.offset


def test_the_day_that_apia_left_out_is_one_change() -> None:
    apia = Clocks(ZoneInfo("Pacific/Apia"))
    (change,) = list(apia.periods(datetime(2011, 12, 20, tzinfo=UTC), datetime(2012, 1, 9, tzinfo=UTC)))[1:]
    assert (change.expected, change.shown) == (datetime(2011, 12, 30), datetime(2011, 12, 31))
    assert apia.first(datetime(2011, 12, 30, 15)) == change.begin


def test_any_kind_of_zone_will_do() -> None:
    assert len(list(Clocks(UTC).periods(*YEAR))) == 1
    assert len(list(Clocks(timezone(timedelta(hours=5, minutes=45))).periods(*YEAR))) == 1
    assert [one.offset for one in Clocks(Rule()).periods(*YEAR)] == [timedelta(), HOUR]


def test_a_change_at_either_end_belongs_to_the_periods() -> None:
    berlin, spring = Clocks(ZoneInfo("Europe/Berlin")), datetime(2026, 3, 29, 1, tzinfo=UTC)
    (only,) = berlin.periods(spring, spring + HOUR)
    assert (only.begin, only.before, only.offset) == (spring, HOUR, 2 * HOUR)
    assert len(list(berlin.periods(spring - HOUR, spring))) == 2
    assert len(list(berlin.periods(spring - HOUR, spring - timedelta(seconds=1)))) == 1


def test_a_time_that_comes_twice_is_the_first() -> None:
    berlin = Clocks(ZoneInfo("Europe/Berlin"))
    assert berlin.first(datetime(2026, 10, 25, 2, 30)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert berlin.first(datetime(2026, 3, 29, 2, 30)) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert berlin.first(datetime(2026, 7, 1, 2, 30)) == datetime(2026, 7, 1, 0, 30, tzinfo=UTC)
