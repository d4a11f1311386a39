"""The channel of all jobs: it tells of the jobs that changed, and of those alone."""

from datetime import timedelta

from janitor.state import State, job_records, notices
from janitor.state.item_plans import Plan
from janitor.web.live.jobs_channel import JobsChannel
from tests.small_engine import now, remember, remember_run
from tests.state.parcels import PLAN, add, end


def looked(state: State, channel: JobsChannel) -> bool:
    """Look once, and tell what differs; whether anything does."""
    with state.read() as connection:
        found = channel.read(connection)
    if differs := channel.take(found):
        channel.version += 1
    return differs


def test_the_first_look_tells_of_all_jobs(state: State) -> None:
    channel, at = JobsChannel(["tick", "tock"]), now()
    remember_run(state, "tick", at, "failed", ended_at=at + timedelta(seconds=2), seconds=2.0)
    remember_run(state, "gone", at)
    assert looked(state, channel)
    told = channel.changed_since(0)
    assert set(told) == {"tick", "tock"}
    assert told["tick"] | {"run": 1} == {
        "run": 1,
        "outcome": "failed",
        "at": at + timedelta(seconds=2),
        "seconds": 2.0,
        "slots": 1,
        "paused": False,
    }
    assert (told["tock"]["run"], told["tock"]["outcome"], told["tock"]["paused"]) == (None, None, False)


def test_later_looks_tell_of_what_changed(state: State) -> None:
    channel = JobsChannel(["tick", "tock"])
    remember(state, "tock", now())
    assert looked(state, channel) and not looked(state, channel)
    remember_run(state, "tick", now(), None)
    assert looked(state, channel)
    assert {job: one["outcome"] for job, one in channel.changed_since(1).items()} == {"tick": "running"}
    with state.begin() as connection:
        job_records.pause(connection, "tock", "every 1h", now(), "anna")
    assert looked(state, channel)
    assert (list(channel.changed_since(2)), set(channel.changed_since(1))) == (["tock"], {"tick", "tock"})
    assert channel.changed_since(2)["tock"]["paused"] and channel.changed_since(3) == {}


def test_a_notice_is_news_although_no_job_changed(state: State) -> None:
    channel = JobsChannel(["tick"])
    looked(state, channel)
    with state.begin() as connection:
        notices.begin(connection, "failed", "tick", "it broke", None, now())
    assert looked(state, channel) and (channel.open_notices, channel.changed_since(1)) == (1, {})


def test_a_job_that_comes_later_is_told_too(state: State) -> None:
    jobs = ["tick"]
    channel = JobsChannel(jobs)
    looked(state, channel)
    jobs.append("tock")
    assert looked(state, channel) and list(channel.changed_since(1)) == ["tock"]


def test_pipelines_whose_items_moved_are_told(state: State) -> None:
    # Given two pipelines with items. What happens: items come, move, and are counted together into fewer rows.
    # What must hold: each change is told of its pipeline alone, and a look without a change tells nothing.
    channel, others = JobsChannel(["tick"]), Plan("others", PLAN.steps, PLAN.kinds)
    [parcel], _ = add(state, "DN1"), add(state, "DN1", plan=others)
    assert looked(state, channel) and channel.moved_since(0) == ["others", "parcels"]
    assert not looked(state, channel) and channel.moved_since(1) == []
    end(state, "fetch", parcel)
    assert looked(state, channel) and (channel.moved_since(1), channel.changed_since(1)) == (["parcels"], {})
    add(state, "DN2", plan=others)
    assert looked(state, channel) and channel.moved_since(2) == ["others"]
    assert channel.moved_since(1) == ["others", "parcels"]
