"""A standstill: a leader of whose slots nothing comes says so, and gives the lead up."""

import re
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine import standstill
from janitor.engine.clock import Phase
from janitor.engine.heartbeat import Heartbeat
from janitor.engine.journal_records import Record
from janitor.engine.runner import Runner
from janitor.engine.standstill import Standstill
from janitor.errors import Unavailable
from janitor.scheduler import Scheduler
from tests.engine.keeping import lease
from tests.small_engine import eventually, nothing, run_until, runner_for, settings_for


def whys(still: Standstill, looks: int = 5) -> list[bool]:
    """Whether each look finds a standstill."""
    return [still.why() is not None for _ in range(looks)]


def test_a_clock_that_does_not_tick_stands_still(lite: Runner, tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path / "beat")
    still = Standstill(heartbeat, lite.journal, lite.renewal)
    assert not any(whys(still))
    heartbeat.beat(time.monotonic() - 31)
    assert whys(still) == [False, False, False, False, True]
    heartbeat.beat()
    assert still.why() is None
    heartbeat.beat(time.monotonic() - 31)
    assert still.why() is None, "it is counted anew"


def test_records_that_nobody_writes_are_a_standstill(lite: Runner, tmp_path: Path) -> None:
    # Given: a record that waits. What happens: time goes by, in which leases are renewed, or are not.
    # What must hold: only the time counts in which they are.
    moment = [time.monotonic()]
    still = Standstill(Heartbeat(tmp_path / "beat"), lite.journal, lite.renewal, lambda: moment[0])
    lite.journal.add(Record(lambda connection: None))
    lite.journal.waits_since = moment[0] - 61
    assert not any(whys(still)), "no lease was renewed"
    lite.renewal.renewed(0.0)
    assert not any(whys(still)), "a lease was renewed just now"
    moment[0] = time.monotonic() + 61
    assert whys(still)[-1] and "1 record could not be written for" in str(still.why())
    lite.journal.settle()
    assert still.why() is None


def test_slots_that_cannot_be_counted_are_a_standstill(lite: Runner, tmp_path: Path) -> None:
    moment, counting = [time.monotonic()], [True]
    heartbeat = Heartbeat(tmp_path / "beat")
    still = Standstill(heartbeat, lite.journal, lite.renewal, lambda: moment[0], lambda: counting[0])
    lite.renewal.renewed(0.0)
    assert not any(whys(still))
    moment[0] += 61
    assert whys(still)[-1] and "the slots could not be counted for" in str(still.why())
    counting[0] = False
    assert still.why() is None
    counting[0] = True
    assert not any(whys(still)), "it is counted anew"


def test_the_time_of_renewals_begins_anew_after_one_that_failed(lite: Runner) -> None:
    # Given: two renewals that went well. What happens: the state database is away at the third, and is back.
    # What must hold: meanwhile no renewal counts; after it the time counts from the fourth on.
    renewal, found = lite.renewal, list[float | None]()

    def renew() -> float | None:
        renewal._renew_at = 0
        renewal.renew_if_due(lite.lead.fence)
        return renewal.renewed_since

    found += [renew(), renew()]
    lite.state.stop("away")
    with pytest.raises(Unavailable, match="away"):
        renew()
    assert renewal.renewed_since is None
    lite.state.stop("")
    first, second, third = [*found, renew()]
    assert first is not None and second == first and third is not None and third > first


def test_a_keeper_waits_for_no_thread_that_hangs(clock: Scheduler, starting: Runner) -> None:
    # Given: a daemon that leads. What happens: a thread hangs while it writes records, and slots are to be counted.
    # What must hold: the keeper goes on, else nobody renews leases or sees the standstill. The slots are counted later.
    clock.add_job(nothing, "interval", hours=1, id="task")
    daemon = clock.daemon(starting)
    clock.open(daemon.lanes)
    daemon.keeper.step()
    starting.journal._turn.acquire()
    starting.journal.add(Record(lambda connection: None))
    assert clock.hold("the jobs changed")
    keeping = threading.Thread(target=daemon.keeper.step, daemon=True)
    keeping.start()
    keeping.join(30)
    waited = clock.phase
    assert not keeping.is_alive() and waited is Phase.COUNTING
    starting.journal._turn.release()
    daemon.keeper.step()
    assert clock.phase is Phase.GOING
    daemon.lanes.close()
    clock.close()


def test_a_keeper_that_hangs_is_told_by_the_clock(clock: Scheduler, starting: Runner) -> None:
    daemon = clock.daemon(starting)
    clock.open(daemon.lanes)
    daemon.tick()
    daemon.keeper.try_step()
    daemon.tick()
    assert starting.obstacles.troubles == []
    daemon.keeper._came_round = time.monotonic() - 61
    starting.leadership.is_migrating = True
    daemon.tick()
    assert starting.obstacles.troubles == [], "an upgrade of the state database may take long"
    starting.leadership.is_migrating = False
    daemon.tick()
    daemon.tick()
    (trouble,) = starting.obstacles.troubles
    assert re.fullmatch(r"it has been at one step for \d+ s", trouble.why)
    daemon.keeper.try_step()
    daemon.tick()
    assert starting.obstacles.troubles == []
    daemon.lanes.close()
    clock.close()


@pytest.mark.slow
def test_a_leader_that_stands_still_gives_the_lead_up(
    lite_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Given: a daemon that leads. What happens: a thread hangs while it writes records, and others wait behind it.
    # What must hold: the daemon says so, and gives its lease back; once it could work, it leads again.
    monkeypatch.setattr(standstill, "STILL_SECONDS", 1.0)
    seen = list[str]()
    with runner_for(settings_for(lite_url, tmp_path, LEASE_SECONDS="30"), leads=False) as runner:
        clock = Scheduler(runner.settings)
        clock.add_job(nothing, "interval", hours=1, id="task")
        daemon = clock.daemon(runner)

        def watch() -> bool:
            if clock.leading and not seen:
                seen.append("led")
                runner.journal._turn.acquire()
                runner.journal.add(Record(lambda connection: None))
            if seen == ["led"] and not clock.leading:
                eventually(lambda: lease(runner, "daemon").holder is None)
                seen.append("gave up")
                eventually(lambda: any(one.duty == "running what is due" for one in runner.obstacles.troubles))
                runner.journal._turn.release()
            return seen == ["led", "gave up"] and clock.leading

        assert run_until(daemon, watch, 60)
    assert re.search("slots are due, and nothing comes of them: .* could not be written for", caplog.text)
