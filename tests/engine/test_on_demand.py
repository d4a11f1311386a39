"""Runs that begin by themselves: whenever there is work, at a pace, and not while they may not."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, select

from janitor.databases.direct import Direct, a_list
from janitor.engine import on_demand
from janitor.engine.on_demand import FAILURES, OnDemand
from janitor.items import Step
from janitor.items.ends import Answer, Take
from janitor.items.work import RUN_SECONDS
from janitor.jobs.job import Job
from janitor.needs import Need
from janitor.runs import Outcome, Run, current_run
from janitor.settings import Settings
from janitor.state import actions, item_replies, job_records
from janitor.state.item_replies import Due
from janitor.state.item_tables import item_steps
from janitor.state.run_records import WORK, Ending
from tests.items.house import Gate, House, Seen, house
from tests.small_engine import eventually, lite_state

YEARLY = "cron 0 0 1 1 *"


class Box:
    """An inbox that waits for messages until it is asked to stop."""

    requires: Sequence[Need] = ()

    def __init__(self, name: str = "box") -> None:
        self.name, self.begun = name, 0

    def receive(self, settings: Settings, take: Take) -> Mapping[str, int] | None:
        self.begun += 1
        while True:
            current_run().sleep(0.02)


class Way:
    """A way of replying whose receiver is always there."""

    name, beat_seconds = "mail", 0.0
    requires: Sequence[Need] = ()

    def __init__(self) -> None:
        self.keys: list[str] = []

    def open(self, settings: Settings) -> "Way":
        return self

    def send(self, answer: Answer) -> None:
        self.keys.append(answer.key)

    def beat(self, answer: Any) -> None:
        raise AssertionError("nothing beats here")

    def close(self) -> None:
        """Nothing."""


@contextmanager
def demand(made: House) -> Iterator[Callable[[], list[str]]]:
    """Gives what looks which jobs may begin."""
    looks = OnDemand(made.scheduler.jobs, made.runner, lambda job, slot: None)
    yield lambda: sorted(job.id for job in looks.look())


def pause(made: House, job: str) -> None:
    with made.state.begin() as connection:
        job_records.pause(connection, job, "with work", made.now(), "eva")


def test_jobs_with_work_may_begin(state_url: URL, tmp_path: Path) -> None:
    # Given a pipeline with an inbox, which has work always, and steps that are off, by hand or paused.
    steps = [
        Step("a", Seen()),
        Step("b", Seen(), needs=["a"]),
        Step("off", Seen(), enabled=False),
        Step("hand", Seen(), schedule="by hand"),
        Step("paused", Seen()),
    ]
    with house(state_url, tmp_path, *steps, inboxes=[Box()], replies=[Way()]) as made, demand(made) as look:
        assert look() == ["p.box"]
        made.add("k")
        assert look() == ["p.a", "p.box", "p.paused"]
        pause(made, "p.paused")
        assert look() == ["p.a", "p.box"]
        made.do("a")
        assert look() == ["p.b", "p.box"]
        with made.state.begin() as connection:
            item_replies.add(connection, made.pipeline.plan, [Due(None, "k", None)], made.now())
        pause(made, "p.box")
        assert look() == ["p.b", "p.mail"]


def test_statements_are_compiled_before_the_first_item_comes(state_url: URL, tmp_path: Path) -> None:
    statement = Direct(select(item_steps.c.step).where(item_steps.c.item_id.in_(a_list("ids"))), together=True)
    with house(state_url, tmp_path, Step("a", Seen()), leads=False) as made:
        made.go(lambda: None)
        assert statement.is_prepared(made.state.engine.dialect)


def test_a_house_without_pipelines_is_never_asked(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("a", Seen())) as made:
        made.add("k")
        looks = OnDemand({}, made.runner, lambda job, slot: None)
        made.state.stop("nobody may ask")
        assert looks.look() == []
        made.state.stop("")


def test_a_job_with_a_pace_begins_at_its_moments(tmp_path: Path) -> None:
    steps = Step("often", Seen(), schedule="every 0.1s"), Step("rarely", Seen(), schedule=YEARLY)
    with house(lite_state(tmp_path / "s.db"), tmp_path, *steps) as made, demand(made) as look:
        assert eventually(lambda: look() == [])
        made.add("k")
        eventually(lambda: look() == ["p.often"])
        # Its moment is over now, and the next one comes.
        eventually(lambda: look() == ["p.often"])


def test_a_job_that_fails_rests(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("a", Seen()), Step("b", Seen())) as made:
        made.add("k")
        looks = OnDemand(made.scheduler.jobs, made.runner, lambda job, slot: None)
        job = made.scheduler.jobs["p.a"]
        for outcome in FAILURES:
            looks.ended(job, Run(), Ending(outcome, "away", made.now(), 1.0))
            assert [one.id for one in looks.look()] == ["p.b"]
        eventually(lambda: [one.id for one in looks.look()] == ["p.a", "p.b"])
        looks.ended(job, Run(), Ending(Outcome.FAILED, "away", made.now(), 1.0))
        looks.ended(job, Run(), Ending(Outcome.SUCCEEDED, None, made.now(), 1.0))
        assert [one.id for one in looks.look()] == ["p.a", "p.b"]
        # Others are no matter here.
        other = Job("other", Seen(), (), {}, job.trigger)
        looks.ended(other, Run(), Ending(Outcome.FAILED, None, made.now(), 1.0))


def test_whoever_retries_ends_the_rest_of_a_job(tmp_path: Path) -> None:
    # Given a job that rests, as it has failed again and again. What happens: a person, in any process, lets items of
    # another pipeline be tried again, then those of its own. What must hold: after that it may begin at once.
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("a", Seen())) as made:
        made.add("k")
        looks = OnDemand(made.scheduler.jobs, made.runner, lambda job, slot: None)
        job = made.scheduler.jobs["p.a"]
        assert looks.look() == [job]
        for _ in range(9):
            looks.ended(job, Run(), Ending(Outcome.FAILED, "away", made.now(), 1.0))
        for pipeline, found in (("other", []), ("p", [job])):
            with made.state.begin() as connection:
                actions.record(connection, "eva", actions.RETRIED, pipeline, "replies of k", made.now())
            assert looks.look() == found
        looks.ended(job, Run(), Ending(Outcome.FAILED, "away", made.now(), 1.0))
        assert looks.look() == [], "what was asked for once counts once"


def test_what_a_run_had_no_time_for_goes_on_at_once(tmp_path: Path) -> None:
    # Given a step that begins once a year, and whose run has ended since its time was over.
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("a", Seen(), schedule=YEARLY)) as made:
        made.add("k")
        looks = OnDemand(made.scheduler.jobs, made.runner, lambda job, slot: None)
        job = made.scheduler.jobs["p.a"]
        assert looks.look() == []
        looks.ended(job, Run(), Ending(Outcome.SUCCEEDED, None, made.now(), RUN_SECONDS - 1))
        assert looks.look() == []
        looks.ended(job, Run(), Ending(Outcome.SUCCEEDED, None, made.now(), RUN_SECONDS))
        assert looks.look() == [job]
        assert looks.look() == [], "it has begun, and its moments count again"


def test_a_run_that_goes_on_is_not_begun_again(tmp_path: Path) -> None:
    gate = Gate()
    with house(
        lite_state(tmp_path / "s.db"), tmp_path, Step("a", lambda item: gate.pass_through(item.key)), leads=False
    ) as made:
        made.add("k")

        def script() -> None:
            gate.wait_for(1)
            made.add("l")
            eventually(lambda: made.daemon is not None and len(made.runs("a")) == 1)
            gate.open()
            made.wait_for_ended(2)

        made.go(script)
        assert len(made.runs("a")) == 1 and {row.origin for row in made.runs("a")} == {WORK}


def test_what_is_added_here_is_begun_without_a_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a daemon that looks for work once an hour. It is told of what is added in its process, and of what a step
    # makes ready; each run begins, and so does the next one as it has ended.
    monkeypatch.setattr(on_demand, "LOOK_SECONDS", 3600.0)
    steps = Step("a", Seen()), Step("b", Seen(), needs=["a"])
    way = Way()
    with house(lite_state(tmp_path / "s.db"), tmp_path, *steps, replies=[way], leads=False) as made:

        def script() -> None:
            made.add("k")
            made.wait_for_ended(1)
            made.add("l")
            made.wait_for_ended(2)

        made.go(script)
        assert [row.outcome for row in made.runs("a")] == ["succeeded"]


def test_no_run_begins_where_nothing_is_due(tmp_path: Path) -> None:
    steps = Step("a", Seen()), Step("b", Seen(), needs=["a"], schedule="every 0.1s")
    with house(lite_state(tmp_path / "s.db"), tmp_path, *steps, leads=False) as made:
        before = made.now()
        made.go(lambda: eventually(lambda: made.now() - before > timedelta(seconds=2)))
        assert made.runs() == []


@pytest.mark.parametrize("how", ["paused", "off", "changed"])
def test_a_long_run_ends_if_its_job_is_no_more_what_it_was(tmp_path: Path, how: str) -> None:
    # Given an inbox whose run goes on, and whose job is paused, switched off, or gets another inbox of the same name.
    box, other = Box(), Box()
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("a", Seen()), inboxes=[box], leads=False) as made:

        def script() -> None:
            eventually(lambda: box.begun == 1)
            if how == "paused":
                pause(made, "p.box")
            else:
                enabled: dict[str, Any] = {"P_BOX_ENABLED": "false"} if how == "off" else {}
                with house(
                    made.runner.settings.state_database_url, tmp_path, Step("a", Seen()), inboxes=[other], **enabled
                ) as new:
                    made.scheduler.replace_jobs(dict(new.scheduler.jobs.items()))
            eventually(lambda: [row.outcome for row in made.runs("box")][:1] == ["succeeded"])
            if how == "changed":
                eventually(lambda: other.begun == 1)

        made.go(script)
        assert (box.begun, other.begun) == (1, int(how == "changed"))
