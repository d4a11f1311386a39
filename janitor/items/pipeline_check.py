"""What a pipeline cannot work with: all its mistakes, each in a sentence."""

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from janitor.errors import BadSetting
from janitor.items.pipeline import LETTERS, MOST_ID, NAME, Pipeline
from janitor.items.step import Step
from janitor.jobs.job import can_be_sent
from janitor.runs.bounds import listed
from janitor.state.item_adding import DUPLICATES
from janitor.state.item_states import BUILT_IN, IN_PROCESS, KINDS, NOT_PROCESSED


def check(pipeline: Pipeline) -> list[str]:
    """All mistakes of a pipeline, each in a sentence; none if it can work."""
    return list(_mistakes(pipeline))


def require(pipeline: Pipeline) -> Pipeline:
    """The pipeline, if it can work.

    Raises:
        BadSetting: it cannot; the error has all its mistakes.
    """
    _refuse(pipeline, check(pipeline))
    return pipeline


def require_kinds(pipeline: Pipeline) -> None:
    """Refuse a pipeline whose parts are something else than is wanted, such as a text in place of a list.

    Raises:
        BadSetting: it is such a one.
    """
    _refuse(pipeline, list(_mistakes_of_kinds(pipeline)))


def _refuse(pipeline: Pipeline, mistakes: Sequence[str]) -> None:
    if mistakes:
        raise BadSetting("pipeline", pipeline.name, "; ".join(mistakes))


def _mistakes(pipeline: Pipeline) -> Iterator[str]:
    if found := list(_mistakes_of_kinds(pipeline)):
        yield from found  # nothing more can be said of it
        return
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


def _mistakes_of_kinds(pipeline: Pipeline) -> Iterator[str]:
    """What is something else than is wanted, such as a text in place of a list."""
    if not _is_list(pipeline.steps) or not all(isinstance(step, Step) for step in pipeline.steps):
        yield 'steps: give a list of steps, such as [Step("look", look)]'
        return
    for step in pipeline.steps:
        if not _is_list(step.needs) and not isinstance(step.needs, Mapping):
            text = f"needs is {step.needs!r}: give a list of steps, or a mapping from step to status"
            yield f"step {step.name}: {text}"
    for name, does in (("inboxes", "receive"), ("replies", "open")):
        given: Any = getattr(pipeline, name)
        if not _is_list(given):
            yield f"{name} is {given!r}: give a list"
            continue
        yield from (f"{one!r} cannot stand among {name}: it has no {does}" for one in given if not hasattr(one, does))
    if pipeline.store is not None and not hasattr(pipeline.store, "requires"):
        yield f"store is {pipeline.store!r}: give FolderStore(...) or S3Store(...)"
    if not isinstance(pipeline.statuses, Mapping):
        yield f"statuses is {pipeline.statuses!r}: give a mapping from status to kind: ok, warning or error"


def _mistakes_of_names(pipeline: Pipeline) -> Iterator[str]:
    seen: set[str] = set()
    parts: list[Any] = [*pipeline.steps, *pipeline.inboxes, *pipeline.replies]
    for part in parts:
        if part.name in seen:
            yield f"two parts are called {part.name}: give each step, inbox and reply a name of its own"
        seen.add(part.name)
        if not isinstance(part.name, str) or NAME.fullmatch(part.name) is None:
            yield f"{part.name!r} is no name: give up to 63 {LETTERS}"
        elif len(f"{pipeline.name}.{part.name}") > MOST_ID:
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
    elif refusal := refusal_of(step.func):
        yield f"its function refuses an item: {refusal}; give a function of one item"
    yield from _mistakes_of_codes(pipeline, step)
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
    names = {other.name for other in pipeline.steps}
    for need, status in step.needed.items():
        if need not in names:
            yield f"it needs the step {need!r}, which is none; the steps are {listed(sorted(names), 20)}"
        elif status not in pipeline.kinds:
            yield f"it needs {need} to be {status!r}; the statuses are {listed(sorted(pipeline.kinds), 20)}"


def _mistakes_of_codes(pipeline: Pipeline, step: Step) -> Iterator[str]:
    """Mistakes of what `Forward` makes of codes; a step's function may be another that has such statuses."""
    statuses = getattr(step.func, "statuses", None)
    for status in statuses.values() if isinstance(statuses, Mapping) else ():
        if pipeline.kinds.get(status, "ok") == "ok":
            yield f"{status!r} is no status of a failure: give {pipeline.failures}"


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


def refusal_of(func: Callable[..., object]) -> str:
    """Why a function cannot be called with an item alone; empty if it can, or if that cannot be known."""
    try:
        signature = inspect.signature(func)
    except (TypeError, ValueError):  # some functions of the interpreter have no signature
        return ""
    try:
        signature.bind(None)
    except TypeError as exc:
        return str(exc)
    return ""


def _is_list(value: object) -> bool:
    return isinstance(value, Collection) and not isinstance(value, (str, Mapping))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)
