"""The page of dead letters: each with its reason, dropped or taken again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from janitor.state import item_letters
from tests.web import parcel_house
from tests.web.parcel_house import ACTOR, ParcelHouse

PATH = "/pipelines/parcels/letters"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ParcelHouse]:
    with parcel_house.standing(tmp_path) as one:
        yield one


def bury(house: ParcelHouse, message: str, pipeline: str = "parcels", inbox: str = "desk") -> int:
    """A dead letter with a message; its id."""
    with house.state.begin() as connection:
        item_letters.add(connection, pipeline, inbox, "it was late", message, len(message), None, house.desk.now())
        return max(int(row.id) for row in item_letters.find(connection, pipeline))


def test_letters_are_listed_and_dropped(house: ParcelHouse) -> None:
    page = house.operator.get(PATH)
    assert "3 letters" in page.words and "It is no JSON" in page.words and "DN2" in page.words
    page = house.press(PATH, f"{PATH}/2/drop")
    assert page.path == PATH and page.flash == "Dead letter 2 is dropped" and "2 letters" in page.words
    assert house.said()[0] == (ACTOR, "dropped", "parcels", "dead letter 2")
    again = house.operator.post(f"{PATH}/2/drop", csrf_token=page.form("/sign-out").fields["csrf_token"])
    assert "parcels has no dead letter 2, or it was dropped" in again.flash


def test_a_message_is_taken_again_as_its_inbox_reads_it_now(house: ParcelHouse) -> None:
    letter = bury(house, '{"key": "DN77", "token": "s3cret"}')
    page = house.press(PATH, f"{PATH}/{letter}/again")
    assert page.flash == f"The message of dead letter {letter} is taken" and "3 letters" in page.words
    item = house.item("DN77")
    assert item is not None and "s3cret" not in item.args
    assert house.said()[0][:3] == (ACTOR, "pushed", "parcels")


def test_a_message_that_is_still_no_item_is_a_letter_once_more(house: ParcelHouse) -> None:
    letter = bury(house, "{")
    page = house.press(PATH, f"{PATH}/{letter}/again")
    assert f"The message of dead letter {letter} is dead once more: it is no JSON" in page.flash
    assert "4 letters" in page.words


def test_what_cannot_be_taken_again_has_no_button(house: ParcelHouse) -> None:
    gone, whole = bury(house, "{}", inbox="gone"), bury(house, "{}")
    masked, others = bury(house, '{"token": "***"}'), bury(house, "{}", pipeline="others")
    actions = [form.action for form in house.operator.get(PATH).read.forms]
    assert f"{PATH}/{whole}/again" in actions
    assert not {f"{PATH}/{letter}/again" for letter in (gone, masked, others)} & set(actions)
    own = house.operator.get(PATH).form("/sign-out").fields["csrf_token"]
    for letter, said in (
        (gone, "the inbox gone of parcels is gone"),
        (masked, "was cut, or is secret"),
        (others, f"parcels has no dead letter {others}"),
    ):
        assert said in house.operator.post(f"{PATH}/{letter}/again", csrf_token=own).flash, letter
    assert "parcels has no dead letter" in house.operator.post(f"{PATH}/{others}/drop", csrf_token=own).flash


def test_a_pipeline_that_is_gone_takes_nothing(house: ParcelHouse) -> None:
    letter = bury(house, "{}")
    house.desk.daemon.jobs.replace({})
    own = house.operator.get(PATH).form("/sign-out").fields["csrf_token"]
    page = house.operator.post(f"{PATH}/{letter}/again", csrf_token=own)
    assert "the pipeline parcels is gone: nothing takes its messages any more" in page.flash
    assert house.press(PATH, f"{PATH}/{letter}/drop").flash == f"Dead letter {letter} is dropped"
