"""Schedules as people also write them."""

import pytest

from janitor.jobs.plain_schedules import hint, plain


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("@daily", "cron 0 0 * * *"),
        ("@midnight", "cron 0 0 * * *"),
        ("hourly", "cron 0 * * * *"),
        ("@Weekly", "cron 0 0 * * 0"),
        ("monthly", "cron 0 0 1 * *"),
        ("@annually", "cron 0 0 1 1 *"),
        ("02:00", "cron 0 2 * * *"),
        ("2:05", "cron 5 2 * * *"),
        ("23.59", "cron 59 23 * * *"),
        ("daily at 2", "cron 0 2 * * *"),
        ("Daily  at 14:30", "cron 30 14 * * *"),
        ("every day at 2 pm", "cron 0 14 * * *"),
        ("at 12am", "cron 0 0 * * *"),
        ("12:15 pm", "cron 15 12 * * *"),
        ("every 5min", "every 5m"),
        ("every 5 minutes", "every 5m"),
        ("every minute", "every 1m"),
        ("every 1.5 hours", "every 1.5h"),
        ("@every 30s", "every 30s"),
        ("every day", "every 1d"),
        ("every week", "every 7d"),
        ("every 2 weeks", "every 14d"),
        ("*/5 * * * *", "cron */5 * * * *"),
        ("0 2 * * MON-FRI", "cron 0 2 * * mon-fri"),
    ],
)
def test_each_form_becomes_the_one_that_is_read(text: str, meant: str) -> None:
    assert plain(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "after",
        "by hand",
        "cron 0 2 * * *",
        "at 2027-01-01T00:00Z",
        "2",
        "every 5",
        "24:00",
        "02:60",
        "13 pm",
        "daily at noon",
        "every 5 fortnights",
        "0 2 * *",
        "every day at the same time",
    ],
)
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("every 5", "give a unit too: 'every 5s', 'every 5m', 'every 5h' or 'every 5d'"),
        ("24:00", "give a time of day from 00:00 to 23:59, such as '02:00'"),
        ("at 2", "give a time of day from 00:00 to 23:59, such as '02:00'"),
        ("@reboot", "give one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually"),
        ("nightly", ""),
    ],
)
def test_what_is_near_gets_a_hint(text: str, told: str) -> None:
    assert hint(text) == told
