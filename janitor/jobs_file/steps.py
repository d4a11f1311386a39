"""The steps of a pipeline in a jobs file: what each is by itself, and how they fit together."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from janitor.errors import BadSetting
from janitor.items.pipeline_check import refusal_of
from janitor.items.step import Step
from janitor.jobs import schedules
from janitor.jobs.dependencies import cycles
from janitor.jobs.with_work import WITH_WORK
from janitor.jobs_file import functions, objects
from janitor.jobs_file.functions import function_named, needs_of
from janitor.jobs_file.keys import STEP_KEYS, no_such_key, status
from janitor.jobs_file.mistakes import Mistake, Wrong, shown
from janitor.jobs_file.part import Part
from janitor.runs.bounds import MOST_NAMED, listed
from janitor.settings.settings import Settings
from janitor.state.item_states import BUILT_IN, FAILURE, PROCESSED

FUNCTION, FORWARD, NEEDS = "function", "forward", "needs"
FORWARD_CLASS = "Forward"
KNOWN = (FUNCTION, FORWARD, NEEDS, *STEP_KEYS)
SCHEDULE_HELP = f"give '{WITH_WORK}', 'every 5m', 'cron 0 2 * * *' or 'by hand'"
NEEDS_HELP = "give a list of steps, such as [cutout], or steps with their statuses, such as {cutout: processed}"


def described(name: str, part: Part, settings: Settings) -> tuple[Step | None, list[Mistake]]:
    """The step that a part describes, and all that is wrong with it by itself; None if anything is."""
    values: dict[str, Any] = {}
    mistakes = [
        part.mistake(key, no_such_key(key, KNOWN, number))
        for number, key in enumerate(key for key in part.values if key not in KNOWN)
    ]
    readers: dict[str, Callable[[Any], Any]] = {**STEP_KEYS, "schedule": lambda value: _schedule(value, settings)}
    for key in (key for key in readers if key in part.values):
        try:
            values[key] = readers[key](part.values[key])
        except Wrong as exc:
            mistakes.append(part.mistake(key, str(exc)))
    func, told = _function(name, part, settings)
    mistakes += [*told, *_mistakes_of_needs(part)]
    if mistakes or func is None:
        return None, mistakes
    return Step(name, func, needs=needs(part, as_written=True), requires=needs_of(func), **values), []


def needs(part: Part, as_written: bool = False) -> Any:
    """The status that a step needs of each step before it; what cannot be read is left out.

    `as_written` gives a tuple, if a list is written.
    """
    found: Any = part.values.get(NEEDS)
    if isinstance(found, list):
        names = tuple(dict.fromkeys(name for name in found if isinstance(name, str)))
        return names if as_written else dict.fromkeys(names, PROCESSED)
    named = dict(part.parts[NEEDS].values) if NEEDS in part.parts else {}
    return named if named or not as_written else ()


def misfits(steps: Mapping[str, Part], statuses: Mapping[str, Any]) -> Iterator[Mistake]:
    """Find what does not fit together: needs that are no steps or no statuses, circles, failures that are no errors.

    `statuses` are the pipeline's own, each with its kind.
    """
    failures = {name: part.values.get("failed", FAILURE) for name, part in steps.items()}
    kinds, known = {**statuses, **BUILT_IN}, listed(list(steps), MOST_NAMED)
    ends = dict.fromkeys((*kinds, *(one for one in failures.values() if isinstance(one, str))))
    for name, part in steps.items():
        for need, wanted in needs(part).items():
            where = (part.parts[NEEDS], need) if NEEDS in part.parts else (part, NEEDS)
            if need not in steps:
                yield where[0].mistake(where[1], f"there is no step {need[:100]}; the steps are {known}")
            elif isinstance(wanted, str) and wanted not in ends:
                text = f"no step ends as {shown(wanted)}; the statuses are {listed(list(ends), MOST_NAMED)}"
                yield where[0].mistake(where[1], text)
        failed = failures[name]
        if isinstance(failed, str) and kinds.get(failed, "error") in ("ok", "warning"):
            yield part.mistake("failed", f"it is {shown(failed)}, of kind {kinds[failed]}: give a status of kind error")
    for circle in cycles({name: [need for need in needs(part) if need in steps] for name, part in steps.items()}):
        yield steps[circle[0]].mistake(NEEDS, f"they go round in a circle: {' -> '.join(circle)}; leave one out")


def _function(name: str, part: Part, settings: Settings) -> tuple[Callable[..., object] | None, list[Mistake]]:
    """What a step calls."""
    if FUNCTION in part.values and FORWARD in part.values:
        return None, [part.mistake(FORWARD, "it stands beside function: give one of them")]
    if FORWARD in part.values:
        if FORWARD in part.parts:
            return objects.made(part.parts[FORWARD], objects.STEP, settings, name, FORWARD_CLASS)
        text = f"it is {shown(part.values[FORWARD])}: give keys and values, such as {{url: 'http://compute:4000'}}"
        return None, [part.mistake(FORWARD, text)]
    if FUNCTION in part.parts:
        return objects.made(part.parts[FUNCTION], objects.STEP, settings, name)
    if FUNCTION not in part.values:
        return None, [part.mistake(FUNCTION, f"it is missing: {functions.HELP}", part.place)]
    try:
        func = function_named(part.values[FUNCTION])
        _check_call(part.values[FUNCTION], func)
    except Wrong as exc:
        return None, [part.mistake(FUNCTION, str(exc))]
    return func, []


def _check_call(value: str, func: Callable[..., object]) -> None:
    if refusal := refusal_of(func):
        raise Wrong(f"{value}{inspect.signature(func)} refuses an item: {refusal}; give a function of one item")


def _schedule(value: Any, settings: Settings) -> str:
    """The schedule of a step.

    Raises:
        Wrong: it is none that a step can have.
    """
    said = STEP_KEYS["schedule"](value)
    if said.strip().lower() == WITH_WORK:
        return WITH_WORK
    try:
        schedules.parse(said, settings.schedule_timezone, "schedule")
    except BadSetting as exc:
        raise Wrong(
            f"it is {shown(said)}: {SCHEDULE_HELP if exc.expected == schedules.HELP else exc.expected}"
        ) from exc
    if said.strip().lower() == schedules.AFTER:
        raise Wrong(f"it is {shown(said)}: {SCHEDULE_HELP}")
    return str(said)


def _mistakes_of_needs(part: Part) -> Iterator[Mistake]:
    found = part.values.get(NEEDS, [])
    if NEEDS in part.parts:
        inner = part.parts[NEEDS]
        for need, wanted in inner.values.items():
            try:
                status(wanted)
            except Wrong as exc:
                yield inner.mistake(need, str(exc))
    elif not isinstance(found, list) or not all(isinstance(one, str) and one for one in found):
        yield part.mistake(NEEDS, f"it is {shown(found)}: {NEEDS_HELP}")
