"""Pipelines as jobs: a job for each step, inbox and way of replying, with what its step says."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from apscheduler.triggers.cron import CronTrigger

from janitor.errors import BadSetting
from janitor.items import Item, Step
from janitor.items.pipelines import OFF, SLACK_SECONDS, jobs, made, pipelines_of
from janitor.items.receiving import InboxTask
from janitor.items.replying import ReplyTask
from janitor.items.work import RUN_SECONDS, StepTask
from janitor.jobs.job import Job
from janitor.jobs.schedules import Unscheduled
from janitor.jobs.with_work import Paced
from janitor.needs import Need, ServiceNeed
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from tests.small_engine import lite_state, settings_for


def need(name: str) -> Need:
    return ServiceNeed(name, lambda settings: [], ())


class Way:
    """A way of replying."""

    beat_seconds = 0.0

    def __init__(self, name: str = "mail") -> None:
        self.name, self.requires = name, [need(name)]

    def open(self, settings: Settings) -> Any:
        raise AssertionError("nothing is sent")


class Box:
    """An inbox that brings a way of replying."""

    def __init__(self) -> None:
        self.name, self.requires, self.reply = "box", [need("box")], Way("back")

    def receive(self, settings: Settings, take: Any) -> Mapping[str, int]:
        raise AssertionError("nothing is received")


class Shelf:
    """A store."""

    requires: Sequence[Need] = [need("shelf")]

    def find(self, settings: Settings, pipeline: str, key: str) -> Any:
        raise AssertionError("nothing is kept")


def do(item: Item) -> None:
    """Do nothing."""


def settings(folder: Path, **more: str) -> Settings:
    return settings_for(lite_state(folder / "s.db"), folder, **more)


def test_each_part_is_a_job(tmp_path: Path) -> None:
    pipeline = made(
        "p",
        [
            Step("b", do, needs=["a"]),
            Step("a", do, timeout=60, requires=[need("a")], title="A", tags=["x"], protect=True),
        ],
        inboxes=[Box()],
        replies=[Way()],
        store=Shelf(),
    )
    assert [reply.name for reply in pipeline.replies] == ["mail", "back"]
    found = {job.id: job for job in jobs(pipeline, settings(tmp_path))}
    assert list(found) == ["p.a", "p.b", "p.box", "p.mail", "p.back"]
    assert [(job.work.kind, job.work.pipeline) for job in found.values() if job.work] == [
        *[("step", "p")] * 2,
        ("inbox", "p"),
        *[("reply", "p")] * 2,
    ]
    a = found["p.a"]
    assert isinstance(a.func, StepTask) and a.func.step.name == "a" and a.own_thread and a.enabled
    assert (a.title, a.protect, tuple(a.tags)) == ("A", True, ("p", "x"))
    assert a.timeout == RUN_SECONDS + 60 + SLACK_SECONDS
    assert [one.what for one in a.needs if isinstance(one, ServiceNeed)] == ["a", "shelf"]
    assert isinstance(found["p.box"].func, InboxTask) and isinstance(found["p.mail"].func, ReplyTask)
    assert [one.what for one in found["p.box"].needs if isinstance(one, ServiceNeed)] == ["box"]
    assert pipelines_of(found) == pipelines_of(found.values()) == {"p": pipeline}


@pytest.mark.parametrize(
    ("enabled", "because"), [(True, ""), (False, OFF), ("the catalogue moves", "the catalogue moves")]
)
def test_a_step_may_be_switched_off(tmp_path: Path, enabled: bool | str, because: str) -> None:
    [job] = jobs(made("p", [Step("a", do, enabled=enabled)]), settings(tmp_path))
    assert (job.disabled_because, job.enabled) == (because, not because)


@pytest.mark.parametrize(
    ("schedule", "kind", "words"),
    [
        ("with work", Paced, "with work"),
        ("every 2s", Paced, "every 2s"),
        ("cron 0 2 * * *", Paced, "cron 0 2 * * *"),
        ("by hand", Unscheduled, "by hand"),
    ],
)
def test_a_step_has_its_schedule(tmp_path: Path, schedule: str, kind: type, words: str) -> None:
    scheduler = Scheduler(settings(tmp_path))
    scheduler.add_pipeline("p", [Step("a", do, schedule=schedule)])
    trigger = scheduler.jobs["p.a"].trigger
    assert type(trigger) is kind and str(trigger) == words
    if isinstance(trigger, Paced):
        assert isinstance(trigger.pace, CronTrigger) == words.startswith("cron")


def test_variables_say_otherwise(tmp_path: Path) -> None:
    scheduler = Scheduler(settings(tmp_path, P_A_SCHEDULE="every 5m", P_B_ENABLED="false", P_C_ENABLED="true"))
    scheduler.add_pipeline("p", [Step("a", do), Step("b", do), Step("c", do, enabled=False)])
    found = scheduler.jobs
    assert str(found["p.a"].trigger) == "every 5m"
    assert (found["p.b"].enabled, found["p.c"].enabled) == (False, True)


@pytest.mark.parametrize("schedule", ["after", "now and then", "every 0s"])
def test_a_schedule_that_is_none_is_refused(tmp_path: Path, schedule: str) -> None:
    with pytest.raises(BadSetting, match="the schedule of job p.a"):
        Scheduler(settings(tmp_path)).add_pipeline("p", [Step("a", do, schedule=schedule)])


def test_a_pipeline_is_checked_as_it_is_made() -> None:
    with pytest.raises(BadSetting, match="it has no option colour"):
        made("p", [Step("a", do)], colour="blue")
    with pytest.raises(BadSetting, match="two parts are called mail"):
        made("p", [Step("a", do)], replies=[Way(), Way()])
    with pytest.raises(BadSetting, match="it is no JSON Schema"):
        made("p", [Step("a", do)], schema={"type": "odd"})


def test_jobs_of_no_pipeline_belong_to_none(tmp_path: Path) -> None:
    scheduler = Scheduler(settings(tmp_path))
    scheduler.add_job(do, "interval", hours=1, args=[None], id="other")
    jobs_of_others: Mapping[str, Job] = scheduler.jobs
    assert pipelines_of(jobs_of_others) == {}


def test_two_pipelines_of_one_name_are_refused(tmp_path: Path) -> None:
    # Else items would have the steps of one of them, and the other's would never have work.
    scheduler = Scheduler(settings(tmp_path))
    scheduler.add_pipeline("p", [Step("a", do)])
    with pytest.raises(
        BadSetting, match=r"pipeline is 'p': give another name: .*test_pipelines.py:\d+ has a pipeline of"
    ):
        scheduler.add_pipeline("p", [Step("b", do)])
    assert list(scheduler.jobs) == ["p.a"]


def test_two_jobs_of_one_id_are_refused(tmp_path: Path) -> None:
    scheduler = Scheduler(settings(tmp_path))
    scheduler.add_job(lambda: None, "date", id="p.a")
    with pytest.raises(BadSetting, match="another id"):
        scheduler.add_pipeline("p", [Step("a", do)])
