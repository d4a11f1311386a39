"""Janitor's log handlers stay, and the lines that handlers of tasks get are masked."""

import io
import logging
import logging.config
import sys
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from janitor.logs.keeping import KeptLogging
from janitor.logs.mask import Mask
from janitor.runs import Run, running
from tests.logs.logged import logging_to

log = logging.getLogger("some.task")
SECRET = "hidden-word"


@pytest.fixture
def stream(root: logging.Logger) -> Iterator[io.StringIO]:
    """What is logged, with logging set up."""
    stream, handlers = io.StringIO(), root.handlers
    logging_to(stream, Mask([SECRET]))
    yield stream
    logging.disable(logging.NOTSET)
    root.handlers = handlers


@pytest.fixture
def kept(stream: io.StringIO) -> KeptLogging:
    """Logging that is kept."""
    return KeptLogging(Mask([SECRET]))


def remove_each() -> None:
    for handler in list(logging.getLogger().handlers):
        logging.getLogger().removeHandler(handler)


def configure() -> None:
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False, "root": {"handlers": []}})


def assign() -> None:
    logging.getLogger().handlers[:] = []


def empty() -> None:
    logging.getLogger().handlers.clear()
    del logging.getLogger().handlers[:]


def force() -> None:
    logging.basicConfig(force=True)


@pytest.mark.parametrize("take", [remove_each, configure, assign, empty, force])
def test_handlers_stay_at_once(kept: KeptLogging, stream: io.StringIO, take: Callable[[], None]) -> None:
    take()
    log.error("said")
    assert stream.getvalue().count("said") == 1
    assert "the log handlers" in list(kept.put_back()) and list(kept.put_back()) == []


def rebind() -> None:
    logging.getLogger().handlers = []


def quieten() -> None:
    logging.getLogger().setLevel(logging.CRITICAL)


def unformat() -> None:
    # The first two are Janitor's; behind them are pytest's.
    for handler in logging.getLogger().handlers[:2]:
        handler.setFormatter(None)
        handler.addFilter(lambda record: False)


def disable_all() -> None:
    logging.config.dictConfig({"version": 1})


def disable() -> None:
    logging.disable(logging.CRITICAL)


@pytest.mark.parametrize(
    ("take", "told"),
    [
        (rebind, "the log handlers"),
        (quieten, "a logger of Janitor's"),
        (unformat, "a log handler of Janitor's"),
        (disable_all, "loggers, which are disabled"),
        (disable, "logging.disable"),
    ],
)
def test_what_is_taken_comes_back_at_the_next_look(
    kept: KeptLogging, stream: io.StringIO, take: Callable[[], None], told: str
) -> None:
    take()
    log.warning("lost")
    assert told in list(kept.put_back()) and list(kept.put_back()) == []
    log.warning("said with %s", SECRET)
    assert stream.getvalue().splitlines()[-1].endswith("WARNING some.task said with ***")


def test_a_handler_of_a_task_gets_masked_lines(kept: KeptLogging) -> None:
    own = io.StringIO()
    handler = logging.StreamHandler(own)
    handler.setFormatter(logging.Formatter("mine: %(message)s"))
    logging.getLogger().addHandler(handler)
    log.warning("it is %s", SECRET)
    logging.getLogger().removeHandler(handler)
    log.warning("after")
    assert own.getvalue() == "mine: it is ***\n"
    assert list(kept.put_back()) == []


class Failing(logging.Handler):
    """A handler of a task's that counts its lines, and fails."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.lines, self._error = 0, error

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += 1
        raise self._error


@pytest.mark.parametrize("error", [OSError("no disk"), SystemExit(1)], ids=repr)
def test_a_handler_of_a_task_fails_for_nobody(kept: KeptLogging, stream: io.StringIO, error: BaseException) -> None:
    handler = Failing(error)
    with running(Run(id=7, job="hostile")):
        logging.getLogger().addHandler(handler)
        log.warning("said")
    with running(Run(id=8, job="other")):
        log.warning("said")
    log.warning("said")
    assert handler.lines == 1 and stream.getvalue().count("said") == 3
    assert list(kept.put_back()) == ["a log handler that fails"] and list(kept.put_back()) == []
    assert handler not in logging.getLogger().handlers


def fail_at_records() -> None:
    def make(*about: object) -> logging.LogRecord:
        raise RuntimeError("no record")

    logging.setLogRecordFactory(make)


def fail_in_janitor() -> None:
    logging.getLogger("janitor").addHandler(Failing(SystemExit(1)))


def fail_in_a_new_logger() -> None:
    logging.getLogger(f"janitor.{uuid4()}").addFilter(lambda record: bool(1 / 0))


@pytest.mark.parametrize(
    ("take", "told"),
    [
        (fail_at_records, "logging.setLogRecordFactory"),
        (fail_in_janitor, "a logger of Janitor's"),
        (fail_in_a_new_logger, "a logger of Janitor's"),
    ],
)
def test_what_fails_for_all_is_put_back(kept: KeptLogging, take: Callable[[], None], told: str) -> None:
    take()
    assert list(kept.put_back()) == [told] and list(kept.put_back()) == []
    logging.getLogger("janitor.engine").warning("said")


def test_a_second_handler_on_the_terminal_is_not_taken(kept: KeptLogging) -> None:
    with open(2, "w", encoding="utf-8", closefd=False) as terminal:
        handler = logging.StreamHandler(terminal)
        logging.getLogger().addHandler(handler)
        assert handler not in logging.getLogger().handlers
    assert list(kept.put_back()) == ["the log handlers"] and sys.stderr is not None
