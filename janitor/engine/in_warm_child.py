"""A step in a child process that takes one item after the other, as seen from inside.

parent                                child
                                <───  None, as returned: it waits for an item
CALL, the run's facts, an item  ───>  the step's function is called
log lines, prints, progress     <───
what it returned or raised      <───  and it waits for the next item
STOP, why                       ───>  what goes on ends at its next safe point
"""

import threading
from functools import partial
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from janitor.engine.in_child import RETURNED, About, Line, Traced, begin, print_rest, report, run_of
from janitor.errors import Cancelled, Fenced, Interrupted, is_a, text_of
from janitor.guard import foreign_code
from janitor.items.item import Item, working_on
from janitor.items.step import Step
from janitor.items.trying import MOST_SHOWN, Failed, Returned, Shown, call_here, from_step_on
from janitor.runs import Run, running
from janitor.runs.bounds import shown
from janitor.settings.settings import Settings

CALL, STOP = "call", "stop"
"""The kinds of messages from the parent."""


def main(pipe: Connection, settings: Settings, step: Step) -> None:
    """Be the child: call the step for each item that the parent sends, until it ends the pipe."""
    line, traced = begin(pipe, settings)
    calls: SimpleQueue[tuple[About, Item] | None] = SimpleQueue()
    goes_on: list[Run] = []
    threading.Thread(target=_listen, args=(pipe, calls, goes_on), daemon=True).start()
    line.send(RETURNED, None)
    while (told := calls.get()) is not None:
        about, item = told
        run = run_of(about, settings, line, traced.mask)
        goes_on[:] = [run]
        _call(step, item, run, line, traced)
        goes_on.clear()
        run.ended = True
        if run.state is not None:
            run.state.close()


def _call(step: Step, item: Item, run: Run, line: Line, traced: Traced) -> None:
    token = working_on.set(item)
    try:
        with running(run), foreign_code(partial(_report, line, traced), BaseException):
            returned = _returned(step, item, run)
            print_rest()
            line.send(RETURNED, returned)
    finally:
        working_on.reset(token)


def _report(line: Line, traced: Traced, error: BaseException) -> None:
    report(line, traced, from_step_on(error, __file__))


def _returned(step: Step, item: Item, run: Run) -> Returned:
    try:
        returned = call_here(step, item, run)
        return returned._replace(value=_sendable(returned.value))
    except Failed as exc:
        said = [None if one is None else text_of(one) for one in (exc.status, exc.code)]
        return Returned(None, None, (text_of(exc), said[0], said[1]))


def _sendable(value: Any) -> Any:
    if value is None:
        return None
    return str.__str__(value) if is_a(value, str) else Shown(shown(value, MOST_SHOWN))


def _listen(pipe: Connection, calls: "SimpleQueue[tuple[About, Item] | None]", goes_on: list[Run]) -> None:
    while True:
        try:
            kind, value = pipe.recv()
        except (EOFError, OSError):
            calls.put(None)
            return
        if kind == CALL:
            calls.put(value)
            continue
        for run in list(goes_on):
            run.ask_to_stop(_reason(*value))


def _reason(name: str, text: str) -> Cancelled:
    leaf: Any = {"Interrupted": Interrupted, "Fenced": Fenced}.get(name, Cancelled)
    reason: Cancelled = leaf(text)
    return reason
