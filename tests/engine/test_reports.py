"""Reports: lines and progress are saved while a run goes on, and none is lost."""

import json
import logging
import threading
from pathlib import Path

import pytest
from sqlalchemy import URL, event

from janitor.engine.runner import Runner
from janitor.errors import Unavailable
from janitor.logs.run_log import RunLog
from janitor.runs import current_run
from janitor.state import holders
from janitor.state.log_lines import LogLine
from tests import small_engine
from tests.small_engine import lines_of, migrated, now, rows_of, run_by_hand, settings_for

log = logging.getLogger("some.library")


def test_progress_is_saved_while_the_run_goes_on(runner: Runner) -> None:
    seen = []

    def task() -> None:
        current_run().progress(3, 20, note="first")
        current_run().progress(5, None, "read", "page")
        log.info("so far")
        runner.flush()
        row = rows_of(runner.state)[0]
        seen.append((json.loads(row.progress), lines_of(runner.state, row.id)))
        current_run().progress(20, 20)

    run_by_hand(runner, task)
    progress, lines = seen[0]
    assert progress == {"": {"done": 3, "total": 20, "note": "first"}, "read/page": {"done": 5, "total": None}}
    assert lines == ["so far"]
    row = rows_of(runner.state)[0]
    assert json.loads(row.progress)[""] == {"done": 20, "total": 20}
    assert lines_of(runner.state, row.id) == ["so far"]


def test_a_run_s_log_is_in_order_however_often_saved(lite: Runner) -> None:
    saved, stop = threading.Event(), threading.Event()

    def task() -> None:
        for number in range(200):
            log.info("%d", number)
            if number % 20 == 0:
                saved.clear()
                assert saved.wait(30)

    def save() -> None:
        while not stop.is_set():
            lite.flush()
            saved.set()

    saver = threading.Thread(target=save)
    saver.start()
    run_id, _ = run_by_hand(lite, task)
    stop.set()
    saver.join()
    assert lines_of(lite.state, run_id) == [str(number) for number in range(200)]


def test_what_is_reported_in_an_outage_is_saved_after_it(lite: Runner) -> None:
    # Given: a run that reports. What happens: the state database goes away while it is written to, and comes back.
    # What must hold: nothing was saved then; after it all is saved, in order, while the run goes on.
    seen = []

    def task() -> None:
        log.info("before")
        current_run().progress(1, 2)
        event.listen(lite.state.engine, "after_cursor_execute", go_away)
        with pytest.raises(Unavailable):
            lite.flush()
        event.remove(lite.state.engine, "after_cursor_execute", go_away)
        lite.state.stop("")
        seen.append(lines_of(lite.state, current_run().id))
        log.info("after")
        lite.flush()
        (row,) = rows_of(lite.state)
        seen.append([*lines_of(lite.state, row.id), json.loads(row.progress or "{}")])

    def go_away(*_: object) -> None:
        lite.state.stop("away")

    _, ending = run_by_hand(lite, task)
    assert seen == [[], ["before", "after", {"": {"done": 1, "total": 2}}]], ending.reason


class Poisoned(RunLog):
    """A run log that hands out, for the second run, a line which SQLite does not take."""

    def take(self, run_id: int) -> list[LogLine]:
        return [
            *super().take(run_id),
            *([LogLine(2, now(), "INFO", "x", "poison", None, 2**70)] if run_id == 2 else []),
        ]


def test_what_one_run_reports_costs_no_other_its_progress(lite_url: URL, tmp_path: Path) -> None:
    # Given two runs, of which the second has a line that the state database refuses. What must hold: the progress of
    # the first, which was to be saved together with it, is saved.
    settings, seen = settings_for(lite_url, tmp_path), list[str | None]()
    with small_engine.logging_to(settings) as (mask, _):
        state = migrated(lite_url)
        runner = Runner(state, settings, holders.new_holder(), mask, Poisoned(mask))

        def second() -> None:
            runner.flush()
            seen.extend(row.progress for row in rows_of(state) if row.id == 1)

        def first() -> None:
            current_run().progress(3, 20)
            other = threading.Thread(target=run_by_hand, args=(runner, second), kwargs={"id": "other"})
            other.start()
            other.join()

        run_by_hand(runner, first)
        assert [json.loads(progress or "{}") for progress in seen] == [{"": {"done": 3, "total": 20}}]
        state.close()


def test_what_is_refused_of_one_run_loses_no_line_of_another_in_an_outage(lite_url: URL, tmp_path: Path) -> None:
    # Given two runs, of which the second has a line that the state database refuses. What happens: the state database
    # goes away just then, and comes back. What must hold: the line of the first is saved.
    settings, seen = settings_for(lite_url, tmp_path), list[str]()
    with small_engine.logging_to(settings) as (mask, _):
        state = migrated(lite_url)
        poisoned = Poisoned(mask)
        runner = Runner(state, settings, holders.new_holder(), mask, poisoned)
        log.addHandler(poisoned)

        def second() -> None:
            event.listen(state.engine, "rollback", lambda connection: state.stop("away"), once=True)
            with pytest.raises(Unavailable, match="away"):
                runner.flush()
            state.stop("")
            runner.flush()
            seen.extend(lines_of(state, 1))

        def first() -> None:
            log.info("so far")
            other = threading.Thread(target=run_by_hand, args=(runner, second), kwargs={"id": "other"})
            other.start()
            other.join()

        try:
            run_by_hand(runner, first)
        finally:
            log.removeHandler(poisoned)
        assert seen == ["so far"]
        state.close()
