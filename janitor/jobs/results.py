"""What a task returns: counts for people, and a result, as JSON and never as a pickle, for jobs that depend on it."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from inspect import isgenerator
from typing import Any

from janitor.errors import Rejected
from janitor.runs import current_run

MOST_BYTES = 1_048_576
"""The largest result that is kept: 1 MB of JSON."""
DEEPEST = 100
"""How many lists and mappings may lie within one another."""

_OF_TEXT: dict[str, Any] = {
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$decimal": Decimal,
}


@dataclass(frozen=True)
class Result:
    """Stands in a job's arguments for what one of its dependencies returned; `!result JOB` in a jobs file."""

    job: str


@dataclass(frozen=True)
class Returned:
    """A task's counts, None where it told none, and its result as a JSON text, None where none is kept."""

    counts: dict[str, Any] | None
    result: str | None


def take(returned: object, keeps_result: bool) -> Returned:
    """What a task returned; a generator is run to its end here, and the mappings that it yields are added up.

    Each step of a generator is a safe point. Its result is what it returns, or where that is None its counts.

    Raises:
        Rejected: a result that is to be kept is no JSON value, or too large.
        DeadlineExceeded, Cancelled: as `Run.check` does.
    """
    counts: Mapping[Any, Any] | None
    if isgenerator(returned):
        counts, value = _run_through(returned)
        value = counts if value is None else value
    else:
        counts, value = (returned if isinstance(returned, Mapping) else None), returned
    if counts is not None and keeps_result:
        # The result has all of it; what is told as counts on every page is what fits into a line.
        counts = {name: one for name, one in counts.items() if not isinstance(one, (Mapping, list, tuple, set))}
    plain = None if counts is None else json.loads(json.dumps({str(k): v for k, v in counts.items()}, default=str))
    return Returned(plain, encode(value) if keeps_result else None)


def encode(value: object) -> str:
    """A result as JSON text; dates, times and decimals come back as what they were, tuples as lists.

    Raises:
        Rejected: it is no JSON value, or too large; the error says where.
    """
    plain = _plain(value, "the result", DEEPEST)
    try:
        text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
        size = len(text.encode())
    except UnicodeEncodeError:  # half a character, which no database takes
        text = json.dumps(plain, separators=(",", ":"))
        size = len(text)
    if size > MOST_BYTES:
        raise Rejected(
            f"the result is {size:,} bytes of JSON, and at most {MOST_BYTES:,} are kept: "
            "write it to a file or a table, and return where it is"
        )
    return text


def decode(text: str) -> Any:
    """A result as the task returned it."""
    return _back(json.loads(text))


def filled(value: Any, result: Callable[[str], Any]) -> Any:
    """An argument with each `Result` in it replaced by `result(job)`."""
    if isinstance(value, Result):
        return result(value.job)
    if isinstance(value, (list, tuple)):
        return type(value)(filled(item, result) for item in value) if _holds_result(value) else value
    if isinstance(value, dict):
        return {name: filled(item, result) for name, item in value.items()} if _holds_result(value) else value
    return value


def referred(value: Any) -> Iterator[str]:
    """The jobs whose results stand in an argument."""
    if isinstance(value, Result):
        yield value.job
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from referred(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from referred(item)


def show(text: str) -> str:
    """A result for people: indented JSON, dates and decimals as texts."""
    return json.dumps(decode(text), ensure_ascii=False, indent=2, default=str)


def _holds_result(value: Any) -> bool:
    return next(referred(value), None) is not None


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


def _plain(value: Any, where: str, room: int) -> Any:
    if room < 0:
        raise Rejected(f"{where} lies more than {DEEPEST} levels deep: a result holds JSON values")
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Rejected(f"{where} is {value}, which JSON does not have: return None, or a text")
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{where}[{at}]", room - 1) for at, item in enumerate(value)]
    if isinstance(value, Mapping):
        return _plain_mapping(value, where, room)
    for kind, name in ((datetime, "$datetime"), (date, "$date"), (time, "$time")):
        if isinstance(value, kind):
            return {name: value.isoformat()}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    raise Rejected(f"{where} is of type {type(value).__name__}: a result holds JSON values, dates and decimals")


def _plain_mapping(value: Mapping[Any, Any], where: str, room: int) -> dict[str, Any]:
    plain = {}
    for name, item in value.items():
        if not isinstance(name, str):
            raise Rejected(f"{where} has the key {name!r} of type {type(name).__name__}: keys are texts in JSON")
        plain[name] = _plain(item, f"{where}[{name!r}]", room - 1)
    # A mapping that looks like one of ours is wrapped, so that it comes back as it was.
    return {"$mapping": plain} if len(plain) == 1 and next(iter(plain)).startswith("$") else plain


def _back(value: Any) -> Any:
    if isinstance(value, list):
        return [_back(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, inner),) = value.items()
        if name in _OF_TEXT:
            return _OF_TEXT[name](inner)
        value = inner if name == "$mapping" else value
    return {name: _back(item) for name, item in value.items()}
