"""What people do to items by the API: to one, or to all that fit; by whom; and each on record."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from janitor.state.item_states import DONE, FAILED, READY, WAITING
from tests.web import parcel_house, parcels
from tests.web.parcel_house import ACTOR, ParcelHouse


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ParcelHouse]:
    with parcel_house.standing(tmp_path) as one:
        yield one


def do(house: ParcelHouse, act: str, **wish: Any) -> tuple[int, Any]:
    """Do something to items."""
    return house.ask("POST", f"/parcels/{act}", wish)


def test_one_item_is_retried_and_twice_is_once(house: ParcelHouse) -> None:
    assert do(house, "retry", key=parcels.ODD, at_step="weigh") == (200, {"items": 0}), "that step is done"
    assert do(house, "retry", key=parcels.ODD) == (200, {"items": 1})
    assert do(house, "retry", key=parcels.ODD) == (200, {"items": 0})
    assert house.statuses(parcels.ODD)["match"][0] == READY
    assert house.said()[0] == (ACTOR, "retried", "parcels", parcels.ODD)


def test_all_that_failed_are_retried(house: ParcelHouse) -> None:
    assert do(house, "retry", key="*") == (200, {"items": 9})
    assert house.statuses("DN0030")["match"][0] == house.statuses("DN0040")["match"][0] == READY


def test_filters_choose_what_is_reset_reprocessed_and_dropped(house: ParcelHouse) -> None:
    assert do(house, "reset", key="*", step="match", status="few filters", from_step="match") == (200, {"items": 4})
    assert {step: state for step, (state, _) in house.statuses("DN0036").items()} == {
        "weigh": DONE,
        "match": READY,
        "photo": READY,
        "send": WAITING,
    }
    assert do(house, "reprocess", key="DN001*", state="done") == (200, {"items": 10})
    assert house.statuses("DN0010")["weigh"][0] == READY and house.statuses("DN0009")["weigh"][0] == DONE
    assert do(house, "drop", key="*", flagged=True, note="odd") == (200, {"items": 1})
    assert house.item(parcels.ODD) is None and house.item("DN0030") is not None
    assert [one[1] for one in house.said()[:3]] == ["dropped", "reprocessed", "reset"]
    assert house.said()[0][3] == "1 item: key '*', flagged: odd"


def test_of_one_item_the_filters_must_hold_too(house: ParcelHouse) -> None:
    assert do(house, "reprocess", key="DN0030", state="done") == (200, {"items": 0})
    assert house.statuses("DN0030")["match"] == (FAILED, "no host")
    assert do(house, "reprocess", key="DN0030", state="open") == (200, {"items": 1})


def test_no_more_are_changed_than_are_meant(house: ParcelHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    status, told = do(house, "drop", key="*", state="done", note="x", most=19)
    assert status == 409 and told["error"] == "20 items are meant now, and 19 were: look at them again"
    monkeypatch.setattr("janitor.web.chosen.MOST", 19)
    status, told = do(house, "drop", key="*", state="done", note="x")
    assert status == 409 and "these are more than 19 items" in told["error"]
    assert house.item("DN0000") is not None


def test_replies_that_were_given_up_are_sent_again(house: ParcelHouse) -> None:
    house.give_up_replies()
    assert do(house, "replies/retry", key="DN0001") == (200, {"replies": 0})
    assert do(house, "replies/retry", key="DN0000") == (200, {"replies": 1})
    assert do(house, "replies/retry") == (200, {"replies": 0}), "it waits now, and is due"
    assert [one[1:] for one in house.said()[:2]] == [("retried", "parcels", "replies of DN0000"), house.said()[1][1:]]
    house.give_up_replies()
    assert do(house, "replies/retry") == (200, {"replies": 1})
    assert house.said()[0] == (ACTOR, "retried", "parcels", "replies of parcels")
    status, told = do(house, "replies/retry", key="nobody")
    assert (status, told["error"]) == (404, "there is no item nobody in parcels")
    assert house.ask("POST", "/nothing/replies/retry", {})[0] == 404


def test_an_item_is_flagged_and_the_flag_resolved(house: ParcelHouse) -> None:
    assert do(house, "flag", key="DN0001", note="torn open") == (200, {"changed": True})
    assert do(house, "resolve", key="DN0001", note="mended") == (200, {"changed": True})
    assert do(house, "resolve", key="DN0001") == (200, {"changed": False})
    row = house.item("DN0001")
    assert row is not None and (row.flag, row.flagged_by, row.resolution) == ("torn open", ACTOR, "mended")


def test_what_is_wrong_is_told_and_nothing_is_done(house: ParcelHouse) -> None:
    for act, wish, status, said in (
        ("retry", {}, 422, "key: "),
        ("retry", {"key": "a*b*"}, 422, "key: "),
        (
            "drop",
            {"key": "*", "step": "match", "note": "x"},
            422,
            "the step is 'match': give a state or a status with it",
        ),
        ("retry", {"key": "nobody"}, 404, "there is no item nobody in parcels"),
        ("retry", {"key": "*", "at_step": "nowhere"}, 404, "there is no step nowhere in parcels; its steps are weigh"),
        ("reset", {"key": "*", "from_step": "nowhere"}, 404, "there is no step nowhere"),
        ("reprocess", {"key": "*", "step": "nowhere"}, 404, "there is no step nowhere"),
        ("reprocess", {"key": "*", "state": "odd"}, 422, "state"),
        ("drop", {"key": "*", "note": " "}, 422, "note: "),
        ("flag", {"key": "nobody", "note": "x"}, 404, "there is no item nobody"),
        ("resolve", {"key": "nobody"}, 404, "there is no item nobody"),
    ):
        found, told = do(house, act, **wish)
        assert found == status and told["error"].startswith(said), (act, wish, told)
    assert house.ask("POST", "/nothing/retry", {"key": "*"})[0] == 404
    assert {one[1] for one in house.said()} == {"signed in"}


def test_a_viewer_changes_nothing(house: ParcelHouse) -> None:
    before = house.said()
    for act in (
        "retry",
        "reprocess",
        "reset",
        "drop",
        "flag",
        "resolve",
        "replies/retry",
        "items",
        "letters/drop",
        "letters/1/again",
    ):
        wish = {"key": "DN0030", "note": "x", "from_step": "match", "letters": [1]}
        status, told = house.ask("POST", f"/parcels/{act}", wish, who=house.viewer)
        assert status == 403 and "only an operator" in told["error"], act
        status, told = house.operator.ask("POST", f"/api/pipelines/parcels/{act}", wish, "")
        assert status == 403 and "out of date" in told["error"], act
    assert [one for one in house.said() if one not in before and one[1] != "refused"] == []
