"""Live runs: the newest report of each part is kept, from any thread, and reaches the state database."""

import json
import logging
import threading
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.live import LONGEST_NOTE, LONGEST_PATH, MOST_PARTS, Progress
from janitor.jobs.json_texts import read
from janitor.runs import current_run
from janitor.state.progress import tree
from tests.small_engine import rows_of, run_by_hand, runner_for, settings_for


def test_the_newest_report_of_each_part_is_kept() -> None:
    progress = Progress()
    assert progress.text() == "{}" and not progress.unsaved
    progress.report((), 1, 20, "first")
    progress.report(("read", "page"), 5, None, "")
    progress.report((), 2, 20, "")
    assert json.loads(progress.text()) == {"": {"done": 2, "total": 20}, "read/page": {"done": 5, "total": None}}


def test_each_report_is_to_be_saved() -> None:
    progress = Progress()
    for _ in range(2):
        progress.report((), 1, 20, "first")
        assert progress.unsaved
        progress.unsaved = False


def test_a_slash_within_a_name_makes_no_part() -> None:
    progress = Progress()
    progress.report(("of/2", "page"), 1, 2, "")
    progress.report(("of", "2", "page"), 3, 4, "")
    assert list(progress.parts) == ["of\u22152/page", "of/2/page"]


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), 10**400, "many", object(), [1]])
def test_what_is_no_number_counts_as_unknown(odd: float) -> None:
    progress = Progress()
    progress.report((7,), odd, odd, ["note"])  # type: ignore[arg-type]
    assert read(progress.text()) == {"7": {"done": None, "total": None, "note": "['note']"}}


def test_many_parts_and_long_texts_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    progress = Progress()
    with caplog.at_level(logging.WARNING):
        for number in range(2_000):
            progress.report((str(number), "é\udcff" * 1_000), number, 2**70, "é" * 10_000)
        progress.report(("0", "é\udcff" * 1_000), 7, None, "")
    found = read(progress.text())
    assert len(found) == MOST_PARTS and [len(path.encode()) <= LONGEST_PATH for path in found] == [True] * MOST_PARTS
    first = next(iter(found.values()))
    assert first == {"done": 7, "total": None} and len(found[list(found)[1]]["note"].encode()) <= LONGEST_NOTE
    assert caplog.text.count("the progress of further parts is left out") == 1


def test_many_threads_report_and_the_last_value_is_on_record(state_url: URL, tmp_path: Path) -> None:
    def task() -> None:
        run = current_run()

        def part(name: str) -> None:
            for done in range(1, 201):
                run.progress(done, 200, name, f"of/{done % 3}", note="x" * 10)

        threads = [threading.Thread(target=part, args=(f"part {number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with runner_for(settings_for(state_url, tmp_path)) as runner:
        stop = threading.Event()

        def flushing() -> None:
            while not stop.wait(0.001):
                runner.flush()

        saver = threading.Thread(target=flushing)
        saver.start()
        try:
            run_id, ending = run_by_hand(runner, task)
        finally:
            stop.set()
            saver.join()
        assert ending.outcome == "succeeded", ending
        (row,) = rows_of(runner.state)
    found = tree(json.loads(row.progress))
    assert found["part 3/of∕2"]["done"] == 200
    assert len(found) == 1 + 4 + 4 * 3
    assert run_id == row.id
