"""From pipelines to a jobs file: what is exported and loaded again makes the same pipelines and jobs."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from janitor.items import (
    FolderInbox,
    FolderStore,
    Forward,
    HttpReply,
    MailReply,
    RabbitInbox,
    RabbitReply,
    Reading,
    S3Store,
    SocketReply,
    SqsInbox,
    Step,
    TableInbox,
)
from janitor.items.pipeline import Pipeline
from janitor.items.pipelines import pipelines_of
from janitor.jobs import Job
from janitor.jobs_file.export import export
from janitor.jobs_file.loading import load
from janitor.needs import DatabaseNeed, Need
from janitor.scheduler import Scheduler
from tests.jobs_file import pipes
from tests.jobs_file.files import clock, skips
from tests.jobs_file.pipes import HERE, OwnInbox, OwnReply, OwnStore, write

SAME = [field.name for field in fields(Job) if field.name not in ("func", "trigger", "needs", "work", "file")]
STEPS = (
    Step("a", pipes.well),
    Step(
        "b",
        pipes.badly,
        needs={"a": "few"},
        failed="no host",
        retries=3,
        timeout=90,
        workers=4,
        isolation="process",
        items_per_child=5,
        schedule="every 5m",
        enabled=False,
        record="each",
        cleanup=pipes.clean,
        title="Second",
        notes="{{ not a template }}\nof *two* lines\n",
        tags=["x", "y"],
        protect=True,
    ),
    Step("c", Forward("http://compute", headers={}, store=FolderStore(Path("out")), name="c"), needs=["a", "b"]),
    Step("d", Forward("http://compute"), needs=["a"]),
    Step("e", pipes.Asks(2, OwnStore(("x",)), "other")),
)
INBOXES = (
    RabbitInbox("rabbit", "requests", 7, reading=Reading("ETag", secret_fields=["Authorization"])),
    FolderInbox("folder", Path("in"), poll_seconds=2),
    SqsInbox("sqs", "analyses.fifo", most_receives=3),
    TableInbox("table", "LAB_DATABASE_URL", "orders", ["ra", "dec"], ready=0, started=1, success=2, failure=3),
    OwnInbox("own", "in", pipes.How("id"), timedelta(minutes=1), Path("there"), pipes.well, "old", 0.5),
    pipes.Telling("telling", OwnReply("of_it", ("a",))),
)
REPLIES = (
    HttpReply("http", "http://lab/{key}", headers={"A": "LAB_TOKEN"}),
    SocketReply("browser", beat_seconds=5),
    RabbitReply("rabbit_back", "told"),
    MailReply("mail", to="lab@example.org"),
)


def whole(scheduler: Scheduler, **options: Any) -> Pipeline:
    """A pipeline with every option on a clock."""
    given: dict[str, Any] = {
        "statuses": {"few": "warning", "yes": "ok"},
        "inboxes": INBOXES,
        "replies": REPLIES,
        "store": S3Store("results", gzip=True, tags=["experiment"]),
        "schema": {"type": "object", "required": ["ETag"]},
        "on_duplicate": "anew",
        "keep_days": 3,
        "keep_errors_days": 0.5,
        "fails_in_a_row": 7,
        "waits_seconds": 90.5,
        "title": "A 'title'",
        "notes": "{% if %}",
    }
    return scheduler.add_pipeline("p", STEPS, **given | options)


def exported(scheduler: Scheduler) -> str:
    """All jobs of a clock as a jobs file."""
    return "".join(export(scheduler.jobs.values(), scheduler.settings))


def again(folder: Path, text: str, **environment: str) -> tuple[Pipeline, dict[str, Job]]:
    """The pipeline and the jobs of an exported file."""
    (folder / "copy.yaml").write_text(text, encoding="utf-8")
    found = load(folder / "copy.yaml", clock(**environment)).jobs
    return replace(pipelines_of(found)["p"], file=""), found


def comments(text: str) -> list[str]:
    """The comments in a jobs file."""
    return [line.strip() for line in text.splitlines() if line.strip().startswith("#")]


def test_a_pipeline_of_run_py_comes_back_as_it_was(tmp_path: Path) -> None:
    # Given: a pipeline with every option, and a job. What happens: both are exported, and loaded again.
    # What must hold: the pipeline and its jobs are the same, and nothing could not be written.
    scheduler = clock()
    made = whole(scheduler)
    scheduler.add_job(skips, "interval", hours=1, id="other")
    text = exported(scheduler)
    found, jobs = again(tmp_path, text)
    assert comments(text) == [] and "of_it" in text and "telling_back" not in text
    assert [normal(step) for step in found.steps] == [normal(step) for step in made.steps]
    assert [getattr(step.func, "name", "") for step in found.steps[2:]] == ["c", "forward", "other"]
    assert (
        found.inboxes[1:] == made.inboxes[1:]
        and found.replies == made.replies
        and found.store == replace(S3Store("results", gzip=True), tags=("experiment",))
    )
    assert found.inboxes[0] == replace(INBOXES[0], reading=Reading("ETag", secret_fields=("Authorization",)))
    rest: dict[str, Any] = {"steps": (), "inboxes": (), "replies": (), "store": None}
    assert replace(found, **rest) == replace(made, **rest)
    assert [facts(job) for job in jobs.values() if job.work] == [
        facts(job) for job in scheduler.jobs.values() if job.work
    ]
    assert list(yaml.safe_load(text.replace("{% raw %}", "").replace("{% endraw %}", ""))) == ["jobs", "pipelines"]


def normal(step: Step) -> Step:
    """A step whose lists are tuples, and whose paths are texts."""
    func: Any = step.func
    if isinstance(func, Forward) and isinstance(func.store, FolderStore):
        func = replace(func, store=FolderStore(str(func.store.path)))
    return replace(step, func=func, needs=step.needed, tags=tuple(step.tags), timeout=float(step.timeout))


def as_read(end: Any) -> Any:
    """An end of a pipeline whose lists are tuples, and whose paths are texts, as a file has them."""
    if isinstance(end, FolderInbox):
        return replace(end, folder=str(end.folder))
    if isinstance(end, TableInbox):
        return replace(end, columns=tuple(end.columns))
    if isinstance(end, S3Store):
        return replace(end, tags=tuple(end.tags))
    if isinstance(end, RabbitInbox):
        return replace(end, reading=Reading("ETag", secret_fields=("Authorization",)))
    return end


def facts(job: Job) -> list[Any]:
    """What must be the same of a job; lists are tuples."""
    return [job.schedule, *(tuple(v) if isinstance(v := getattr(job, name), list) else v for name in SAME)]


def test_a_pipeline_of_a_file_comes_back_equal(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text("{}", encoding="ascii")
    text = (
        pipes.STEP + "        needs: []\n        schedule: every 5m\n    schema: request.json\n" + pipes.EVERY_CLASS[1:]
    )
    first = load(write(tmp_path, text), clock()).jobs
    (tmp_path / "other").mkdir()
    written = "".join(export(first.values(), clock().settings))
    found, jobs = again(tmp_path / "other", written)
    assert found == replace(pipelines_of(first)["p"], file="")
    assert found.schema == str(tmp_path / "request.json"), "it is found from wherever the copy lies"
    assert [facts(job) for job in jobs.values()] == [facts(job) for job in first.values()]
    assert "".join(export(jobs.values(), clock().settings)) == written


def test_only_what_differs_from_the_defaults_is_written() -> None:
    scheduler = clock()
    scheduler.add_pipeline("p", [Step("a", pipes.well)])
    steps = {"a": {"function": f"{HERE}:well"}}
    assert yaml.safe_load(exported(scheduler)) == {"jobs": None, "pipelines": {"p": {"steps": steps}}}


def test_schemas_of_tasks_are_written_with_their_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_text('{"x": {}}', encoding="ascii")
    monkeypatch.chdir(tmp_path)
    scheduler = clock()
    schemas = {"a": "a.json#/x", "b": {"type": "object"}, "c": Path("a.json")}
    scheduler.add_pipeline("p", [Step("a", pipes.well)], schema=schemas, task_name="n")
    found, _ = again(tmp_path, exported(scheduler))
    assert found.schema == {"a": f"{tmp_path}/a.json#/x", "b": {"type": "object"}, "c": f"{tmp_path}/a.json"}


def test_what_came_from_the_environment_is_written_as_that(tmp_path: Path) -> None:
    scheduler = clock(QUEUE="wJalrXUtnFEMI")
    text = pipes.PIPE + "    inboxes: {i: {use: RabbitInbox, queue: '{{ env(\"QUEUE\") }}'}}\n"
    jobs = load(write(tmp_path, text), scheduler).jobs
    written = "".join(export(jobs.values(), scheduler.settings))
    assert "wJalrXUtnFEMI" not in written and 'queue: {{ env("QUEUE") }}' in written
    found, _ = again(tmp_path, written, QUEUE="another")
    assert found.inboxes == (RabbitInbox("i", "another"),)


@dataclass(frozen=True)
class Odd:
    """A step's function with a field that no file can hold."""

    value: object = None
    requires: Sequence[Need] = ()

    def __call__(self, item: Any) -> None:
        """Do nothing."""


class NoDataclass:
    """A reply that a jobs file cannot describe."""

    name, beat_seconds, requires = "no", 0.0, ()

    def open(self, settings: object) -> None:
        """Nothing is sent."""


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Step("a", lambda item: None), "steps.a.function cannot be written: it is "),
        (
            Step("a", functools.partial(pipes.two, other=1)),
            "steps.a.function cannot be written: tests.jobs_file.pipes:two",
        ),
        (Step("a", Odd(object())), "steps.a.function cannot be written: it holds more than texts"),
        (Step("a", Odd(Path("x"))), "steps.a.function cannot be written: its value would come back as another"),
        (Step("a", pipes.well, cleanup=lambda past: None), "steps.a.cleanup cannot be written: it is"),
        (Step("a", pipes.well, notes="half \ud800"), "steps.a.notes cannot be written: it holds more than texts"),
        (Step("a", pipes.well, enabled="no disk"), "steps.a.enabled cannot be written: why it is off has no place: no"),
        (
            Step("a", pipes.well, requires=[DatabaseNeed("LAB_DATABASE_URL")]),
            "steps.a.requires cannot be written: a step",
        ),
    ],
)
def test_a_comment_stands_for_what_a_file_cannot_hold(step: Step, said: str) -> None:
    scheduler = clock()
    scheduler.add_pipeline("p", [step])
    (comment,) = comments(exported(scheduler))
    assert comment.startswith(f"# p: {said}")


def test_a_reply_that_is_no_dataclass_is_told() -> None:
    scheduler = clock()
    reply: Any = NoDataclass()
    scheduler.add_pipeline("p", [Step("a", pipes.well)], replies=[reply])
    text = exported(scheduler)
    assert comments(text) == ["# p: replies.no cannot be written: NoDataclass is no dataclass"]
    assert "replies" not in text.replace(comments(text)[0], "")
