"""What a task returned: counts for people, and a result for the jobs that depend on it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from inspect import isgenerator
from typing import Any

from janitor.jobs.result_texts import encode
from janitor.runs import current_run


@dataclass(frozen=True)
class Returned:
    """A task's counts, None without any, and its result as JSON text, None if it is not kept."""

    counts: dict[str, Any] | None
    result: str | None


def take(returned: object, keeps_result: bool) -> Returned:
    """The counts and the result of a task.

    A mapping is both. A generator is run to its end here: the mappings that it yields add up to its counts, and each
    step is a safe point. Its result is what it returns, or its counts if it returns None.

    Raises:
        Rejected: the result is to be kept, and is no JSON value or too large.
        DeadlineExceeded, Cancelled: as `Run.check` does.
    """
    counts: Mapping[Any, Any] | None
    if isgenerator(returned):
        counts, value = _run_through(returned)
        value = counts if value is None else value
    else:
        counts, value = (returned if isinstance(returned, Mapping) else None), returned
    if counts is not None and keeps_result:
        # The result keeps everything. Counts stand in one line on every page, so lists and mappings are left out.
        counts = {name: one for name, one in counts.items() if not isinstance(one, (Mapping, list, tuple, set))}
    plain = None if counts is None else json.loads(json.dumps({str(k): v for k, v in counts.items()}, default=str))
    return Returned(plain, encode(value) if keeps_result else None)


def _run_through(steps: Iterator[Any]) -> tuple[dict[str, Any] | None, Any]:
    counts: dict[str, Any] | None = None
    while True:
        try:
            step = next(steps)
        except StopIteration as exc:
            return counts, exc.value
        if isinstance(step, Mapping):
            counts = {} if counts is None else counts
            for name, value in step.items():
                known = counts.get(name)
                numbers = _is_number(value) and _is_number(known)
                counts[name] = known + value if numbers and known is not None else value
        current_run().check()


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
