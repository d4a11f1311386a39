"""Starts: the facts that a run begins with, all in one look."""

from sqlalchemy import event

from janitor.runs import Outcome
from janitor.state import State, job_records, leases
from janitor.state.leases import job_lease
from janitor.state.run_records import Ending, finish
from janitor.state.slot_records import LostSlots, record_lost
from janitor.state.starts import StartFacts, look
from tests.state.history import MINUTE, NOW, begin


def facts(state: State, job: str) -> StartFacts:
    with state.read() as connection:
        return look(connection, job)


def test_a_job_without_a_past_may_begin(state: State) -> None:
    assert facts(state, "new") == StartFacts(paused=False, running=None, lease=None)


def test_each_fact_is_that_of_the_job_itself(state: State) -> None:
    # Given a job that is paused, a job with an open run, and a job with a lease.
    # Each job is looked at. Each look finds the one fact, and none of the other jobs' facts.
    with state.begin() as connection:
        job_records.pause(connection, "paused", "every 1h", NOW, "anna")
        leases.acquire(connection, job_lease("leased"), "me", NOW, 60)
    open_run = begin(state, "running")
    assert facts(state, "paused") == StartFacts(paused=True, running=None, lease=None)
    assert facts(state, "running") == StartFacts(paused=False, running=open_run, lease=None)
    found = facts(state, "leased")
    assert (found.paused, found.running) == (False, None)
    assert found.lease is not None
    assert (found.lease.name, found.lease.holder, found.lease.token) == ("job:leased", "me", 1)
    assert found.lease.expires_at == NOW + MINUTE


def test_a_slot_is_over_within_a_stretch_and_once_it_ran(state: State) -> None:
    # Given: a run for minute 0, and the slots of minutes 2 to 4 as one record.
    begin(state, slot=NOW)
    lost = LostSlots("a", NOW + 2 * MINUTE, NOW + 4 * MINUTE, 3, Outcome.MISSED, "asleep")
    with state.begin() as connection:
        record_lost(connection, lost, "me")
        over = [look(connection, "a", NOW + minute * MINUTE).slot_is_over for minute in range(-1, 6)]
        assert over == [False, True, False, True, True, True, False]
        assert not look(connection, "b", NOW).slot_is_over and not look(connection, "a", None).slot_is_over


def test_a_run_that_has_ended_does_not_count_as_running(state: State) -> None:
    ended, still_open = begin(state), begin(state)
    with state.begin() as connection:
        assert finish(connection, ended, Ending(Outcome.FAILED, "boom", NOW, 1.0))
    assert facts(state, "a").running == still_open
    with state.begin() as connection:
        assert finish(connection, still_open, Ending(Outcome.FAILED, "boom", NOW, 1.0))
    assert facts(state, "a").running is None


def test_the_lease_that_was_found_can_be_taken(state: State) -> None:
    with state.begin() as connection:
        first = leases.take(connection, job_lease("a"), look(connection, "a").lease, "me", NOW, 60)
        assert first is not None
        leases.release(connection, first)
    with state.begin() as connection:
        second = leases.take(connection, job_lease("a"), look(connection, "a").lease, "you", NOW, 60)
    assert second is not None and second.token == first.token + 2


def test_all_facts_take_one_statement(state: State) -> None:
    sent: list[str] = []
    with state.begin() as connection:
        event.listen(connection, "before_cursor_execute", lambda *given: sent.append(given[2].split()[0]))
        look(connection, "a")
    assert sent == ["SELECT"]


def test_a_lease_that_was_taken_since_it_was_found_stays(state: State) -> None:
    # Given: two processes that find a job's lease free, or that find no lease. Both take it.
    with state.begin() as connection:
        for name in ("a", "b"):
            found = look(connection, name).lease
            assert leases.take(connection, job_lease(name), found, "me", NOW, 60) is not None
            assert leases.take(connection, job_lease(name), found, "you", NOW, 60) is None
            mine = leases.take(connection, job_lease(name), look(connection, name).lease, "me", NOW, 60, again=True)
            assert mine is not None and leases.holder_of(connection, job_lease(name)) == "me"
            leases.release(connection, mine)
            free = look(connection, name).lease
            assert leases.take(connection, job_lease(name), free, "you", NOW, 60) is not None
            assert leases.take(connection, job_lease(name), free, "me", NOW, 60) is None
