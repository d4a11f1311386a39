"""Results among a job's arguments: where they stand, and how their values are put in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Result:
    """Stands in a job's arguments for what a dependency returned; `!result JOB` in a jobs file."""

    job: str


def filled(value: Any, result: Callable[[str], Any]) -> Any:
    """An argument with each `Result` in it replaced by `result(job)`; a part without any stays the same object."""
    if isinstance(value, Result):
        return result(value.job)
    if isinstance(value, (list, tuple)):
        return type(value)(filled(item, result) for item in value) if _holds_result(value) else value
    if isinstance(value, dict):
        return {name: filled(item, result) for name, item in value.items()} if _holds_result(value) else value
    return value


def referred(value: Any) -> Iterator[str]:
    """The jobs whose results stand in an argument, however deep; a list may even hold itself."""
    waiting, seen = [value], set[int]()
    while waiting:
        item = waiting.pop()
        if isinstance(item, Result):
            yield item.job
        elif isinstance(item, (list, tuple, dict)) and id(item) not in seen:
            seen.add(id(item))
            waiting += reversed(list(item.values()) if isinstance(item, dict) else item)


def _holds_result(value: Any) -> bool:
    return next(referred(value), None) is not None
