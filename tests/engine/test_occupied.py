"""Which lanes are taken, and what waits in them."""

from datetime import datetime, timezone

from janitor.engine.occupied import Occupied, Waiting
from janitor.engine.stages import Slot
from tests.small_engine import job_of, nothing

NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)


def waiting(job: str) -> Waiting:
    return Waiting(job_of(nothing, id=job), Slot(NOON), 0.0)


def occupied(*jobs: str) -> Occupied:
    """Lanes in which slots of these jobs wait, in this order."""
    made = Occupied()
    for job in jobs:
        assert made.take(job)
        made.let_wait(waiting(job))
    return made


def test_a_lane_is_taken_once_until_it_is_left() -> None:
    lanes = Occupied()
    assert (lanes.take("a"), lanes.take("a"), lanes.take("b")) == (True, False, True)
    lanes.leave("a")
    assert lanes.take("a") and not lanes.wait(0)
    lanes.leave("a")
    lanes.leave("b")
    assert lanes.wait(0)


def test_what_waits_is_handed_out_until_nobody_takes_it() -> None:
    lanes, given = occupied("a", "b", "c"), list[str]()

    def give(one: Waiting) -> bool:
        given.append(one.job.id)
        return len(given) < 2

    lanes.hand_out(give)
    assert given == ["a", "b"] and lanes.waiting == 2 and lanes.waiting_of("a") is None
    assert not lanes.take("a"), "whoever was given it has its lane"

    def end(one: Waiting) -> bool:
        lanes.leave(one.job.id)
        return True

    lanes.hand_out(end)
    assert lanes.waiting == 0 and lanes.take("b") and lanes.take("c")


def test_a_newer_slot_has_the_place_of_the_older() -> None:
    lanes, newer, given = occupied("a", "b"), waiting("a"), list[Waiting]()
    before = lanes.waiting_of("a")
    assert before is not None and lanes.replace(before, newer) and not lanes.replace(before, waiting("a"))

    def give(one: Waiting) -> bool:
        given.append(one)
        return True

    lanes.hand_out(give)
    assert given[0] is newer and len(given) == 2


def test_what_is_withdrawn_or_waits_at_the_end_holds_no_lane() -> None:
    lanes = occupied("a", "b")
    assert lanes.take("runs")
    for job in ("a", "runs", "nobody"):
        lanes.withdraw(job)
    assert lanes.take("a") and not lanes.take("runs")
    lanes.leave("a")
    lanes.close()
    assert lanes.waiting == 0 and not lanes.take("b") and not lanes.wait(0)
    lanes.let_wait(waiting("runs"))
    assert lanes.waiting == 0 and lanes.wait(0), "it has nothing to wait for after the end"


def test_what_is_unwanted_waits_no_more() -> None:
    lanes = occupied("a", "b", "c")
    lanes.withdraw_if(lambda one: one.job.id != "b")
    assert lanes.waiting == 1 and lanes.waiting_of("b") is not None
    assert lanes.take("a") and lanes.take("c") and not lanes.take("b")
