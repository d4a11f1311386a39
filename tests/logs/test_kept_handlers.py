"""The root logger's handlers: Janitor's stay, those of tasks are lent and masked."""

import logging
import sys
from collections.abc import Callable
from io import StringIO

import pytest

from janitor.logs.kept_handlers import KeptHandlers
from janitor.logs.mask import Mask
from janitor.runs import Run, running

OWN = logging.NullHandler()


def record(text: str = "it has sesame") -> logging.LogRecord:
    return logging.makeLogRecord({"msg": text, "levelname": "INFO"})


@pytest.fixture
def kept() -> KeptHandlers:
    return KeptHandlers([OWN], Mask(["sesame"]))


@pytest.mark.parametrize(
    "take",
    [
        lambda kept: kept.remove(OWN),
        lambda kept: kept.clear(),
        lambda kept: kept.pop(),
        lambda kept: kept.__setitem__(slice(None), []),
        lambda kept: kept.__delitem__(0),
        lambda kept: kept.__imul__(0),
    ],
    ids=["remove", "clear", "pop", "set", "delete", "times"],
)
def test_our_handler_stays_whatever_is_done(kept: KeptHandlers, take: Callable[[KeptHandlers], object]) -> None:
    take(kept)
    assert list(kept) == [OWN] and kept.changed


def test_a_handler_on_a_terminal_is_not_taken(kept: KeptHandlers) -> None:
    kept.append(logging.StreamHandler(sys.__stderr__))
    assert list(kept) == [OWN] and kept.changed


def test_a_task_s_handler_gets_the_lines_of_its_job_masked(kept: KeptHandlers) -> None:
    stream = StringIO()
    with running(Run(id=1, job="mine")):
        kept.append(logging.StreamHandler(stream))
        kept[-1].handle(record())
    with running(Run(id=2, job="another")):
        kept[-1].handle(record("of another"))
    assert stream.getvalue() == "it has ***\n"


@pytest.mark.parametrize(
    "add",
    [
        lambda kept, handler: kept.insert(0, handler),
        lambda kept, handler: kept.extend([handler]),
        lambda kept, handler: kept.__iadd__([handler]),
        lambda kept, handler: kept.__setitem__(slice(0, 0), [handler]),
    ],
    ids=["insert", "extend", "plus", "slice"],
)
def test_however_a_handler_is_added_its_lines_are_masked(
    kept: KeptHandlers, add: Callable[[KeptHandlers, logging.Handler], object]
) -> None:
    stream = StringIO()
    add(kept, logging.StreamHandler(sys.__stderr__))
    add(kept, logging.StreamHandler(stream))
    assert len(kept) == 2 and kept.changed
    kept[-1].handle(record())
    assert stream.getvalue() == "it has ***\n"


def test_a_formatter_that_comes_later_is_masked_too(kept: KeptHandlers) -> None:
    stream = StringIO()
    kept.append(logging.StreamHandler(stream))
    kept[-1].setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    kept[-1].handle(record())
    assert stream.getvalue() == "INFO it has ***\n"


def test_a_handler_that_raises_is_let_go(kept: KeptHandlers) -> None:
    class Broken(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise SystemExit("no disk")

    kept.append(Broken())
    kept[-1].handle(record())
    assert kept.let_go_of_failing() and list(kept) == [OWN] and not kept.let_go_of_failing()
