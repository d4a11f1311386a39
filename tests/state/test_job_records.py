"""Job records: pauses last, and a job is enabled since it was switched on."""

from janitor.state import State, job_records
from janitor.state.starts import look
from tests.state.history import MINUTE, NOW


def test_pauses_last_and_say_who(state: State) -> None:
    with state.begin() as connection:
        job_records.remember(connection, {"a": ("every 5m", True)}, NOW)
        assert job_records.pause(connection, "a", "every 5m", NOW + MINUTE, "me")
        assert not job_records.pause(connection, "a", "every 5m", NOW + 2 * MINUTE, "you")
        assert job_records.pause(connection, "new", "every 1h", NOW, "me")
    with state.begin() as connection:
        record = job_records.all_jobs(connection)["a"]
        assert (record.paused_at, record.paused_by) == (NOW + MINUTE, "me")
        assert look(connection, "a").paused and look(connection, "new").paused
        assert job_records.resume(connection, "a") and not job_records.resume(connection, "a")
        assert not look(connection, "a").paused and not look(connection, "unknown").paused


def test_a_job_is_enabled_since_it_was_switched_on(state: State) -> None:
    def start(minute: int, schedule: str, enabled: bool) -> job_records.JobRecord | None:
        with state.begin() as connection:
            return job_records.remember(connection, {"a": (schedule, enabled)}, NOW + minute * MINUTE).get("a")

    assert start(0, "every 5m", True) is None
    assert start(1, "every 5m", True).enabled_at == NOW  # type: ignore[union-attr]
    start(2, "every 7m", True)
    assert start(3, "every 7m", False).enabled_at == NOW + 2 * MINUTE  # type: ignore[union-attr]
    assert start(4, "every 7m", True).enabled is False  # type: ignore[union-attr]
    record = start(5, "every 7m", True)
    assert record is not None and (record.enabled, record.enabled_at) == (True, NOW + 4 * MINUTE)


def test_a_job_that_is_not_there_is_not_enabled(state: State) -> None:
    def start(minute: int, *jobs: str) -> dict[str, job_records.JobRecord]:
        with state.begin() as connection:
            job_records.remember(connection, dict.fromkeys(jobs, ("every 5m", True)), NOW + minute * MINUTE)
            return job_records.all_jobs(connection)

    start(0, "a", "b")
    gone = start(1, "a")["b"]
    assert (gone.enabled, gone.enabled_at) == (False, NOW)
    back = start(3, "a", "b")
    assert (back["b"].enabled, back["b"].enabled_at, back["a"].enabled_at) == (True, NOW + 3 * MINUTE, NOW)


def test_a_job_paused_before_any_daemon_had_it_owes_nothing(state: State) -> None:
    with state.begin() as connection:
        job_records.pause(connection, "new", "every 1h", NOW, "me")
        before = job_records.remember(connection, {"new": ("every 1h", True)}, NOW + 3 * MINUTE)["new"]
        after = job_records.all_jobs(connection)["new"]
    assert not before.enabled and (after.enabled, after.enabled_at) == (True, NOW + 3 * MINUTE)
    assert after.paused_by == "me"


def test_a_schedule_that_an_earlier_release_remembered_goes_on(state: State) -> None:
    # Given: an earlier release remembered the words of a schedule, without its zone. Happens: a daemon of this release
    # starts, and dies at once. Must hold: at the next start the job is still enabled since its first day.
    words, identity = "cron 0 2 * * *", "cron 0 2 * * * in Europe/London"
    with state.begin() as connection:
        job_records.remember(connection, {"a": (words, True)}, NOW)
        for minute in (1, 2):
            at = NOW + minute * MINUTE
            job_records.remember(
                connection, {"a": (identity, True)}, at, lambda job, known: (job, known) == ("a", words)
            )
            record = job_records.all_jobs(connection)["a"]
            assert (record.schedule, record.enabled_at) == (identity, NOW)
