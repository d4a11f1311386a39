"""From a folder: rows as JSON, the oldest file first, and files that are no messages."""

import json
from pathlib import Path

import pytest

from janitor.errors import Cancelled
from janitor.publisher.from_folder import rows_of_folder
from janitor.publisher.listener import listen
from janitor.runs import Run, running
from janitor.settings import Settings
from tests.messages import SCHEMA, publisher_to, statuses
from tests.publisher.decoding import FIRST_ROW


def test_files_are_heard_in_the_order_of_arrival(tmp_path: Path) -> None:
    settings = Settings.load({"MESSAGES_DIR": str(tmp_path)}, None)
    items = listen(settings, SCHEMA, "x", limit=12)
    with publisher_to(settings, "x") as publisher:
        for number in range(5):
            publisher.publish(statuses(2, id_run=number))
        first = next(items)
        publisher.publish(statuses(2, id_run=9))
    rest = list(items)
    assert [item["row"]["id_run"] for item in [first, *rest]] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 9, 9]
    assert first["row"] == FIRST_ROW | {"id_run": 0, "irods_root_collection": "/seq/0"}
    assert first["headers"]["fingerprint"] == SCHEMA.fingerprint.hex()
    assert json.loads(json.dumps(rest)) == rest


def test_file_that_is_not_avro_is_heard_as_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a.avro").write_bytes(b"hello")
    (tmp_path / "b.txt").write_bytes(b"hello")
    settings = Settings.load({"MESSAGES_DIR": str(tmp_path)}, None)
    items = list(listen(settings, SCHEMA, "x", idle_seconds=0.3))
    assert items == [{"problem": "a.avro: this is not a whole Avro object container file", "file": "a.avro"}]


def test_a_run_asked_to_stop_waits_for_no_file(tmp_path: Path) -> None:
    run = Run()
    run.ask_to_stop(Cancelled("by hand"))
    with running(run), pytest.raises(Cancelled, match="by hand"):
        list(rows_of_folder(tmp_path, SCHEMA, None))


def test_a_file_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".half.avro").write_bytes(b"hello")
    assert list(rows_of_folder(tmp_path, SCHEMA, 0.01)) == []
