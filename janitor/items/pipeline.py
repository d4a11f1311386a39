"""A pipeline: its steps, its statuses, where its items come from, and who is told what came of them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from janitor.errors import BadSetting
from janitor.items.ends import Inbox, Reply, Store
from janitor.items.step import Step
from janitor.jobs.job import can_be_sent, is_id
from janitor.runs.bounds import listed
from janitor.state.item_adding import DUPLICATES
from janitor.state.item_plans import Plan, PlannedStep
from janitor.state.item_states import BUILT_IN, IN_PROCESS, KINDS, NOT_PROCESSED

LETTERS = "letters, digits, '_' and '-', the first a letter or a digit"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,62}")
MOST_ID = 64
KEEP_DAYS, KEEP_ERRORS_DAYS = 90.0, 365.0
FAILS_IN_A_ROW = 10
"""From so many failures of a step in a row on, people are told."""
WAITS_SECONDS = 3600.0
"""People are told of items that could be taken, and wait for longer."""


@dataclass(frozen=True)
class Pipeline:
    """What one `add_pipeline` line, or one entry under `pipelines:` in a jobs file, makes; `check` has its mistakes.

    - `statuses`: its own statuses, each with its kind: ok, warning or error.
    - `inboxes`: where items come from.
    - `replies`: who is told what came of them.
    - `store`: where results are kept; None keeps them in the state database.
    - `schema`: a JSON Schema that the arguments of each message must fit, or the path of a file with it; or, with
      `task_name`, a mapping from the names of tasks to schemas.
    - `task_name`: where the name of the task stands in a message, such as `body.name`.
    - `on_duplicate`: what becomes of a key that is there: `reply`, `ignore`, `change` or `anew`.
    - `keep_days`: for how many days items that are done stay.
    - `keep_errors_days`: for how many days items that have failed stay.
    - `fails_in_a_row`: people are told once a step has failed so many times, one after the other.
    - `waits_seconds`: people are told once an item has waited so long for a step that could take it.
    - `title`: its name for people.
    - `notes`: Markdown for its page.
    """

    name: str
    steps: Sequence[Step]
    statuses: Mapping[str, str] = field(default_factory=dict)
    inboxes: Sequence[Inbox] = ()
    replies: Sequence[Reply] = ()
    store: Store | None = None
    schema: Any = None
    task_name: str = ""
    on_duplicate: str = "reply"
    keep_days: float = KEEP_DAYS
    keep_errors_days: float = KEEP_ERRORS_DAYS
    fails_in_a_row: int = FAILS_IN_A_ROW
    waits_seconds: float = WAITS_SECONDS
    title: str = ""
    notes: str = ""
    file: str = ""

    @cached_property
    def plan(self) -> Plan:
        """The pipeline as the state database knows it."""
        return Plan(
            self.name,
            tuple(PlannedStep(step.name, step.needed) for step in self.in_order),
            dict(self.kinds),
            tuple(reply.name for reply in self.replies),
            self.on_duplicate,
        )

    @cached_property
    def kinds(self) -> Mapping[str, str]:
        """Each status with which a step can end, and its kind."""
        failures = {step.failed: "error" for step in self.steps}
        return {**BUILT_IN, **failures, **self.statuses}

    @cached_property
    def in_order(self) -> Sequence[Step]:
        """The steps, each after those that it needs; those on one level as they were given."""
        left, found = list(self.steps), list[Step]()
        while left:
            known = {step.name for step in found}
            ready = [step for step in left if step.needed.keys() <= known]
            assert ready, "check refuses circles"
            found += ready
            left = [step for step in left if step not in ready]
        return found

    def step(self, name: str) -> Step:
        """The step of a name.

        Raises:
            BadSetting: there is none; the error tells all.
        """
        for step in self.steps:
            if step.name == name:
                return step
        names = listed([step.name for step in self.steps], 20)
        raise BadSetting("STEP", name, f"{self.name} has no such step; its steps are {names}")


def check(pipeline: Pipeline) -> list[str]:
    """All mistakes of a pipeline, each in a sentence; none if it can work."""
    return list(_mistakes(pipeline))


def require(pipeline: Pipeline) -> Pipeline:
    """The pipeline, if it can work.

    Raises:
        BadSetting: it cannot; the error has all its mistakes.
    """
    found = check(pipeline)
    if found:
        raise BadSetting("pipeline", pipeline.name, "; ".join(found))
    return pipeline


def _mistakes(pipeline: Pipeline) -> Iterator[str]:
    if not _is_text(pipeline.name) or NAME.fullmatch(pipeline.name) is None:
        yield f"give it a name of up to 63 {LETTERS}"
    if not pipeline.steps:
        yield "give it at least one step"
    yield from _mistakes_of_names(pipeline)
    yield from _mistakes_of_statuses(pipeline)
    for step in pipeline.steps:
        yield from (f"step {step.name}: {mistake}" for mistake in _mistakes_of_step(pipeline, step))
    yield from _mistakes_of_needs(pipeline)
    yield from _mistakes_of_stores(pipeline)
    if pipeline.on_duplicate not in DUPLICATES:
        yield f"on_duplicate is {pipeline.on_duplicate!r}: give one of {', '.join(DUPLICATES)}"
    for name in ("title", "notes", "task_name"):
        if not _is_text(getattr(pipeline, name)):
            yield f"{name} is {getattr(pipeline, name)!r}: give a text"
    for name in ("keep_days", "keep_errors_days", "waits_seconds", "fails_in_a_row"):
        if not _is_number(getattr(pipeline, name)) or getattr(pipeline, name) <= 0:
            yield f"{name} is {getattr(pipeline, name)!r}: give a number above 0"


def _mistakes_of_names(pipeline: Pipeline) -> Iterator[str]:
    seen: set[str] = set()
    parts: list[Any] = [*pipeline.steps, *pipeline.inboxes, *pipeline.replies]
    for part in parts:
        if part.name in seen:
            yield f"two parts are called {part.name}: give each step, inbox and reply a name of its own"
        seen.add(part.name)
        if not isinstance(part.name, str) or NAME.fullmatch(part.name) is None:
            yield f"{part.name!r} is no name: give up to 63 {LETTERS}"
        elif not is_id(f"{pipeline.name}.{part.name}"):
            yield f"{pipeline.name}.{part.name} is the id of a job, and has more than {MOST_ID} characters: shorten it"


def _mistakes_of_statuses(pipeline: Pipeline) -> Iterator[str]:
    for status, kind in pipeline.statuses.items():
        if kind not in KINDS:
            yield f"the status {status!r} is of kind {kind!r}: give ok, warning or error"
        if status in (NOT_PROCESSED, IN_PROCESS) or BUILT_IN.get(status, kind) != kind:
            yield f"the status {status!r} is built in: give yours another name"
        if not _is_text(status) or not 0 < len(status) <= 64:
            yield f"the status {status!r} must be a text of up to 64 characters"
    for step in pipeline.steps:
        if pipeline.statuses.get(step.failed, "error") != "error" or BUILT_IN.get(step.failed, "error") != "error":
            yield f"step {step.name}: failed is {step.failed!r}, which is no error: give a status of kind error"


def _mistakes_of_step(pipeline: Pipeline, step: Step) -> Iterator[str]:
    if not callable(step.func):
        yield "give a function, without brackets behind it"
    for name, least in (("retries", 0), ("workers", 1), ("items_per_child", 1)):
        value = getattr(step, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            yield f"{name} is {value!r}: give a whole number, {least} or more"
    if not _is_number(step.timeout) or not step.timeout > 0:
        yield f"timeout is {step.timeout!r}: give a number of seconds above 0"
    if step.isolation not in ("thread", "process"):
        yield f'isolation is {step.isolation!r}: give "thread" or "process"'
    elif step.isolation == "process" and not can_be_sent(step.func):
        yield "its function cannot be run in a process: give one at a module's top level"
    if step.record not in ("batch", "each"):
        yield f'record is {step.record!r}: give "batch" or "each"'
    if not _is_text(step.failed) or not 0 < len(step.failed) <= 64:
        yield f"failed is {step.failed!r}: give a status of up to 64 characters"
    for name in ("title", "notes", "schedule"):
        if not _is_text(getattr(step, name)):
            yield f"{name} is {getattr(step, name)!r}: give a text"
    if _is_text(step.tags) or not all(map(_is_text, step.tags)):
        yield f'tags is {step.tags!r}: give a list of texts, such as ["one"]'
    if step.cleanup is not None and not callable(step.cleanup):
        yield "cleanup: give a function, without brackets behind it"
    if isinstance(step.needs, str):
        yield f"needs is {step.needs!r}: give a list of steps, or a mapping from step to status"
        return
    names = {other.name for other in pipeline.steps}
    for need, status in step.needed.items():
        if need not in names:
            yield f"it needs the step {need!r}, which is none; the steps are {listed(sorted(names), 20)}"
        elif status not in pipeline.kinds:
            yield f"it needs {need} to be {status!r}; the statuses are {listed(sorted(pipeline.kinds), 20)}"


def _mistakes_of_needs(pipeline: Pipeline) -> Iterator[str]:
    names = {step.name for step in pipeline.steps}
    left = {step.name: step.needed.keys() & names for step in pipeline.steps}
    while ready := {name for name, needs in left.items() if not needs & left.keys()}:
        left = {name: needs for name, needs in left.items() if name not in ready}
    if left:
        yield f"these steps need one another in a circle: {', '.join(sorted(left))}"


def _mistakes_of_stores(pipeline: Pipeline) -> Iterator[str]:
    """A store keeps one result of an item: a step would take another's for its own."""
    seen: list[tuple[str, Any]] = []
    for step in pipeline.steps:
        store = getattr(step.func, "store", None)
        other = next((name for name, one in seen if store is not None and one == store), None)
        if other is not None:
            yield f"the steps {other} and {step.name} keep what they compute in the same store: give each its own"
        seen.append((step.name, store))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)
