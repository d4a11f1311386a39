"""Reports: lines and progress are saved while a run goes on, and none is lost."""

import json
import logging
import threading

from janitor.engine.runner import Runner
from janitor.runs import current_run
from tests.small_engine import lines_of, rows_of, run_by_hand

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
