"""The forms about items: what each does, for whom, and what it needs."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from janitor.state import item_adding
from janitor.state.item_adding import NewItem
from janitor.state.item_states import BLOCKED, DONE, FAILED, READY, WAITING
from janitor.web import addresses
from tests.web import parcel_house, parcels
from tests.web.parcel_house import ACTOR, ParcelHouse
from tests.web.visitor import Visitor

PATH = "/pipelines/parcels"
ITEM = addresses.of_item("parcels", parcels.ODD)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ParcelHouse]:
    with parcel_house.standing(tmp_path) as one:
        yield one


def test_what_failed_of_an_item_is_retried_from_its_page(house: ParcelHouse) -> None:
    assert house.statuses(parcels.ODD)["match"] == (FAILED, "no host")
    page = house.press(ITEM, f"{PATH}/retry", at_step="match")
    assert page.path == ITEM and page.flash == f"{parcels.ODD} is tried again"
    assert house.statuses(parcels.ODD)["match"][0] == READY and house.statuses(parcels.ODD)["send"][0] == WAITING
    assert house.said()[0] == (ACTOR, "retried", "parcels", f"{parcels.ODD} at match")
    again = house.operator.post(f"{PATH}/retry", item=parcels.ODD, csrf_token=token(house))
    assert again.flash == f"{parcels.ODD} has no step that could be tried again"


def test_a_step_is_reset_with_all_behind_it(house: ParcelHouse) -> None:
    path = addresses.of_item("parcels", "DN0000")
    page = house.press(path, f"{PATH}/reset", from_step="match")
    assert page.flash == "DN0000 is done again from match on"
    states = {step: state for step, (state, _) in house.statuses("DN0000").items()}
    assert states == {"weigh": DONE, "match": READY, "photo": DONE, "send": WAITING}
    assert house.press(path, f"{PATH}/reprocess").flash == "DN0000 is done again from the beginning"
    assert house.statuses("DN0000")["weigh"][0] == READY
    assert [one[1] for one in house.said()[:2]] == ["reprocessed", "reset"]
    wrong = house.operator.post(f"{PATH}/reset", item="DN0000", from_step="nowhere", csrf_token=token(house))
    assert "parcels has no such step" in wrong.flash


def test_an_item_is_flagged_and_the_flag_resolved(house: ParcelHouse) -> None:
    path = addresses.of_item("parcels", "DN0001")
    assert "say what people are to look at" in house.press(path, f"{PATH}/flag", note="  ").flash
    page = house.press(path, f"{PATH}/flag", note="torn open")
    assert page.flash == "DN0001 is flagged" and "torn open" in page.words
    assert "DN0001" in house.operator.get(f"{PATH}?flagged=true").words
    page = house.press(path, f"{PATH}/resolve", note="mended")
    assert page.flash == "The flag of DN0001 is resolved" and "Resolved: mended" in page.words
    late = house.operator.post(f"{PATH}/resolve", item="DN0001", csrf_token=token(house))
    assert late.flash == "DN0001 has no flag that is open"
    assert [one[1:3] for one in house.said()[:2]] == [("flag resolved", "parcels"), ("flagged", "parcels")]


def test_an_item_is_deleted_with_a_note(house: ParcelHouse) -> None:
    path = addresses.of_item("parcels", "DN0002")
    assert "say why these items may be deleted" in house.press(path, f"{PATH}/drop", note=" ").flash
    assert house.item("DN0002") is not None
    page = house.press(path, f"{PATH}/drop", note="sent twice")
    assert page.path == PATH and page.flash == "DN0002 is deleted" and house.item("DN0002") is None
    assert house.said()[0] == (ACTOR, "dropped", "parcels", "DN0002: sent twice")
    assert "sent twice" in page.words, "the page tells what people did"


def test_replies_that_were_given_up_are_sent_again(house: ParcelHouse) -> None:
    path, actions = addresses.of_item("parcels", "DN0000"), f"{PATH}/replies"
    house.give_up_replies()
    page = house.press(path, actions)
    assert page.path == path and page.flash == "1 reply is sent again"
    assert house.said()[0] == (ACTOR, "retried", "parcels", "replies of DN0000")
    assert actions not in {form.action for form in house.operator.get(path).read.forms}, "it is due, and tried now"
    house.give_up_replies()
    page = house.press(PATH, actions)
    assert page.path == PATH and page.flash == "1 reply is sent again"
    assert house.said()[0] == (ACTOR, "retried", "parcels", "replies of parcels")
    assert house.press(PATH, actions).flash == "0 replies are sent again"


def test_all_that_fit_are_retried_reset_and_deleted(house: ParcelHouse) -> None:
    # Given six items that failed at a step. What happens: they are chosen by filters, and acted upon one way after
    # another. What must hold: those six are changed, and no others; the page leads back to the same filters.
    chosen = f"{PATH}?step=match&state=failed"
    page = house.press(chosen, f"{PATH}/retry")
    assert page.path == chosen and page.flash == "6 items are tried again"
    assert house.said()[0][:3] == (ACTOR, "retried", "parcels") and house.said()[0][3].startswith(
        "6 items: step 'match'"
    )
    page = house.press(f"{PATH}?step=match&status=few+filters", f"{PATH}/reset", from_step="match")
    assert page.flash == "4 items are done again from match on"
    assert house.statuses("DN0036")["match"][0] == READY and house.statuses("DN0000")["match"][0] == DONE
    page = house.press(f"{PATH}?key=DN001", f"{PATH}/reprocess")
    assert page.flash == "10 items are done again from the beginning"
    page = house.press(f"{PATH}?key=DN005", f"{PATH}/drop", note="lost")
    assert page.flash == "10 items are deleted" and house.item("DN0055") is None
    assert house.item("DN0049") is not None and "50 items" in house.operator.get(PATH).words


def test_without_a_filter_only_what_failed_can_be_retried(house: ParcelHouse) -> None:
    page = house.operator.get(PATH)
    assert {form.action for form in page.read.forms if form.method == "post"} == {
        "/sign-out",
        f"{PATH}/retry",
        f"{PATH}/replies",
    }
    assert house.press(PATH, f"{PATH}/retry").flash == "9 items are tried again"
    refused = house.operator.post(f"{PATH}/drop", note="all", most="100", csrf_token=token(house))
    assert "give a key, or a filter" in refused.flash and "60 items" in refused.words


def test_items_that_came_since_the_page_was_seen_are_left_alone(house: ParcelHouse) -> None:
    seen = house.operator.get(f"{PATH}?key=DN005&state=open").form(f"{PATH}/drop")
    with house.state.begin() as connection:
        new = NewItem("DN005new", "{}", house.desk.now())
        item_adding.add(connection, parcels.pipeline().plan, [new], house.desk.now())
    page = house.operator.submit(seen, note="lost")
    assert "11 items are meant now, and 10 were: look at them again" in page.flash
    assert house.item("DN0055") is not None and [one[1] for one in house.said()] == ["signed in"] * 2


def test_more_than_a_request_changes_are_refused(house: ParcelHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("janitor.web.chosen.MOST", 5)
    page = house.press(f"{PATH}?step=match&state=failed", f"{PATH}/reprocess", most="5")
    assert "these are more than 5 items" in page.flash and house.statuses("DN0030")["send"][0] == BLOCKED


CHANGES = ("retry", "reprocess", "reset", "drop", "flag", "resolve", "replies", "letters/1/drop", "letters/1/again")


def test_a_viewer_presses_nothing_and_nobody_without_the_token(house: ParcelHouse) -> None:
    for path in ("/pipelines", PATH, ITEM, f"{PATH}/letters", f"{PATH}?state=failed"):
        page = house.viewer.get(path)
        assert {form.action for form in page.read.forms if form.method == "post"} == {"/sign-out"}, path
    before, own = house.said(), token(house, house.viewer)
    fields = {"item": "DN0030", "note": "x", "from_step": "match"}
    for change in CHANGES:
        refused = house.viewer.post(f"{PATH}/{change}", csrf_token=own, **fields)
        assert refused.status == 403 and "only an operator" in refused.words, change
        assert house.operator.post(f"{PATH}/{change}", **fields).status == 403, change
        assert Visitor(house.operator.address).post(f"{PATH}/{change}", **fields).path == "/sign-in", change
    assert [one for one in house.said() if one not in before and one[1] != "refused"] == []
    assert house.statuses("DN0030")["match"] == (FAILED, "no host")


def test_what_is_not_there_is_told(house: ParcelHouse) -> None:
    own = token(house)
    assert house.operator.post("/pipelines/nothing/retry", item="DN1", csrf_token=own).status == 404
    page = house.operator.post(f"{PATH}/retry", item="nobody", csrf_token=own)
    assert page.path == f"{PATH}/items/{quote('nobody')}" and page.status == 404


def token(house: ParcelHouse, who: Visitor | None = None) -> str:
    """The token of somebody's forms."""
    return (who or house.operator).get("/pipelines").form("/sign-out").fields["csrf_token"]
