"""Messages made from records: one for each record, or for records of one route; each made when it is asked for."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from janitor.publisher import Envelope, Refused, open_publisher
from janitor.publisher.making import Messages, groups
from janitor.publisher.message import Message
from janitor.settings import Settings
from tests.messages import SCHEMA, statuses

RUNS = [{**row, "id_run": 1 + at // 10} for at, row in enumerate(statuses(30))]


def envelope(encoding: Any = "binary") -> Envelope:
    """Records of a run have one route."""
    return Envelope("x", "s", "t", encoding, "topic", lambda record: f"run {record['id_run']}")


def test_a_record_is_encoded_when_its_message_is_asked_for() -> None:
    taken = list[int]()

    def records() -> Iterator[dict[str, Any]]:
        for at, row in enumerate(RUNS):
            taken.append(at)
            yield row

    made = Messages(SCHEMA, envelope(), records(), 7).messages()
    assert taken == []
    first = next(made)
    assert taken == [0] and isinstance(first, Message) and SCHEMA.decode(first.body) == RUNS[0]
    assert [each.places for each in made if isinstance(each, Message)] == [(at,) for at in range(1, 30)]


def test_what_cannot_be_sent_is_told_in_its_place() -> None:
    rows = [{**row, "run_status": None} if at in (3, 4, 29) else row for at, row in enumerate(RUNS)]
    for encoding in ("binary", "json"):
        made = list(Messages(SCHEMA, envelope(encoding), rows, 100).messages())
        refused = [each for each in made if isinstance(each, Refused)]
        assert [(each.at, each.reason, each.for_itself) for each in refused] == [
            (at, "run_status is missing", True) for at in (3, 4, 29)
        ]
        sent = sorted(at for each in made if isinstance(each, Message) for at in each.places)
        assert sent == [at for at in range(30) if at not in (3, 4, 29)]


def test_lines_of_one_message_have_one_route() -> None:
    made = [each for each in Messages(SCHEMA, envelope("json"), RUNS, 4).messages() if isinstance(each, Message)]
    assert [len(each.places) for each in made] == [4, 4, 2] * 3
    assert [each.routing_key for each in made] == ["run 1"] * 3 + ["run 2"] * 3 + ["run 3"] * 3
    assert [row for each in made for row in SCHEMA.decode_lines(each.body)] == RUNS


def test_a_message_of_lines_is_halved_down_to_its_records() -> None:
    maker = Messages(SCHEMA, envelope("json"), RUNS[:5], 5)
    whole = next(maker.messages())
    assert isinstance(whole, Message)
    left, alone = [whole], list[Message]()
    while left:
        message = left.pop()
        halves = maker.halves(message)
        assert [at for half in halves for at in half.places] == (list(message.places) if halves else [])
        left += halves
        alone += [] if halves else [message]
    assert sorted(each.places for each in alone) == [(at,) for at in range(5)]
    assert {SCHEMA.decode_lines(each.body)[0]["labware_barcode"] for each in alone} == {
        row["labware_barcode"] for row in RUNS[:5]
    }
    binary = next(Messages(SCHEMA, envelope(), RUNS, 5).messages())
    assert isinstance(binary, Message) and maker.halves(binary) == []


def test_groups_are_no_larger_than_the_window() -> None:
    plain = Envelope("x", "s", "t", "binary")
    made = list(groups(SCHEMA, plain, RUNS, 8))
    assert [len(each[1]) for each in made if not isinstance(each, Refused)] == [8, 8, 8, 6]
    assert list(groups(SCHEMA, plain, [], 8)) == []


def test_a_file_holds_records_of_one_route(tmp_path: Path) -> None:
    to = Settings.load({"MESSAGES_DIR": str(tmp_path)}, None)
    about: Any = {"subject": "s", "message_type": "status", "encoding": "binary", "unroutable": "fail"}
    with open_publisher(
        to, SCHEMA, exchange="x", routing_key=lambda record: f"run {record['id_run']}", headers={"n": 7}, **about
    ) as publisher:
        assert sum(len(settled.published) for settled in publisher.publish_each(RUNS, window=8)) == 30
    files = [SCHEMA.read_container(io.BytesIO(path.read_bytes())) for path in tmp_path.iterdir()]
    assert len(files) == 6 and sum(len(found) for _, found in files) == 30
    for metadata, found in files:
        assert {metadata["routing_key"]} == {f"run {row['id_run']}" for row in found} and metadata["n"] == "7"
