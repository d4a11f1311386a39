"""What a task returned: counts for people, and a result for the jobs that depend on it."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from inspect import isasyncgen, isawaitable, isgenerator
from numbers import Real
from typing import Any

from janitor.errors import Rejected
from janitor.jobs import event_loop
from janitor.jobs.counts import taken
from janitor.jobs.result_texts import Keeps, encode
from janitor.runs import current_run

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Returned:
    """A task's counts, None without any, and its result as JSON text, None if it is not kept."""

    counts: dict[str, Any] | None
    result: str | None


def call(function: Callable[[], object], keeps: Keeps) -> Returned:
    """Call a task, and take what it returns; `sys.exit()` in it is a good end.

    Raises:
        SystemExit: the task left with another code than 0.
        Rejected, DeadlineExceeded, Cancelled: as `take` does.
    """
    try:
        return take(function(), keeps)
    except SystemExit as exc:
        if not left_well(exc):
            raise
        return take(None, keeps)


def left_well(error: SystemExit) -> bool:
    """Whether somebody left without a code, or with code 0, as a program does that succeeded."""
    return error.code is None or type(error.code) in (int, bool) and not error.code


def take(returned: object, keeps: Keeps) -> Returned:
    """The counts and the result of a task.

    A mapping is both. An awaitable is run to its end here. So is a generator, and an async generator: the mappings
    that it yields add up to its counts, and each step is a safe point. Its result is what it returns, or its counts if
    it returns None.

    Raises:
        Rejected: the result is always to be kept, and is no JSON value or too large.
        DeadlineExceeded, Cancelled: as `Run.check` does.
    """
    counts: Mapping[Any, Any] | None
    returned = finished(returned)
    if isgenerator(returned) or isasyncgen(returned):
        counts, value = _run_through(returned)
        value = counts if value is None else value
    else:
        counts, value = (returned if isinstance(returned, Mapping) else None), returned
    if counts is not None and keeps != "no":
        # The result keeps everything. Counts stand in one line on every page, so lists and mappings are left out.
        counts = {name: one for name, one in counts.items() if not isinstance(one, (Mapping, list, tuple, set))}
    return Returned(None if counts is None else taken(counts), _kept(value, keeps))


def _kept(value: object, keeps: Keeps) -> str | None:
    try:
        return None if keeps == "no" else encode(value)
    except Rejected as exc:
        if keeps == "always":
            raise
        log.warning("the result is not kept: %s", exc)
        return None


def finished(returned: Any) -> Any:
    """What comes of what a function returned: an awaitable is run to its end, all else is given back.

    Raises:
        DeadlineExceeded, Cancelled: as `Run.check` does, once the task was cancelled for it and has ended.
    """
    while returned is not None and isawaitable(returned):
        returned = event_loop.run(returned)
        current_run().check()
    return returned


def _run_through(steps: Any) -> tuple[dict[Any, Any] | None, Any]:
    """The sums of what a generator yields, None if it yields no mapping, and what it returns."""
    counts: dict[Any, Any] = {}
    told: list[bool] = []

    def add(step: Any) -> None:
        if isinstance(step, Mapping):
            told.append(True)
            for name, value in step.items():
                counts[name] = _added(counts[name], value) if name in counts else value
        current_run().check()

    value = None
    try:
        if isasyncgen(steps):
            event_loop.run_through(steps, add)
        else:
            value = finished(_each(steps, add))
    except SystemExit as exc:
        if not left_well(exc):
            raise
    return (counts if told else None), value


def _each(steps: Iterator[Any], add: Callable[[Any], None]) -> Any:
    """Run a generator to its end; what it returns."""
    while True:
        try:
            step = next(steps)
        except StopIteration as exc:
            return exc.value
        add(step)


def _added(known: Any, value: Any) -> Any:
    """The sum of two numbers; else the newer value."""
    if not (_is_number(known) and _is_number(value)):
        return value
    try:
        return known + value
    except (TypeError, ArithmeticError):  # a Decimal and a float, for example
        return float(known) + float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (Real, Decimal)) and not isinstance(value, bool)
