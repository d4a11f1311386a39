"""The page of one item: its steps, attempts, arguments, results, flag and replies."""

from collections.abc import Iterator

import pytest

from janitor.state import item_adding
from janitor.state.item_adding import NewItem
from janitor.web import addresses
from tests.web import parcel_house, parcels
from tests.web.charts.drawings import drawn
from tests.web.charts.graphs import nodes
from tests.web.parcel_house import ParcelHouse

ITEM = addresses.of_item("parcels", parcels.ODD)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParcelHouse]:
    with parcel_house.standing(tmp_path_factory.mktemp("parcels"), parcel_house.HOSTILE) as one:
        yield one


def test_an_item_shows_all_that_is_known_of_it(house: ParcelHouse) -> None:
    page = house.viewer.get(ITEM)
    assert page.status == 200 and parcels.ODD in page.words
    for said in (
        "1 done, 1 waiting, 1 blocked, 1 failed",
        "25 %",
        "weigh: processed",
        "match: no host",
        f"no host is near {parcel_house.HOSTILE}",
        "LookupError: no such host",
        "12:00:00 INFO parcel on the scale",
        '"number": 31',
        '"grams": 7',
        f"look at it {parcel_house.HOSTILE}",
        "by anna",
    ):
        assert said in parcel_house.told(page), said
    assert parcel_house.HOSTILE not in page.text and parcels.SECRET not in page.text
    assert page.link("parcels") == "/pipelines/parcels" and page.link("match") == "/jobs/parcels.match"
    assert page.link("As JSON") == f"/api{ITEM}"


def test_its_steps_are_a_graph_with_its_own_statuses(house: ParcelHouse) -> None:
    page = house.viewer.get(ITEM)
    svg = next(f"<svg{part}" for part in page.text.split("<svg")[1:] if 'id="graph"' in part).partition("</svg>")[0]
    kinds = {name: (node.get("class") or "").split()[1] for name, node in nodes(drawn(f"{svg}</svg>")).items()}
    assert kinds == {"weigh": "o-ok", "match": "o-error", "photo": "o-waiting", "send": "o-blocked"}
    assert [f'id="step-{name}"' in page.text for name in kinds] == [True] * 4


def test_replies_and_what_a_done_item_left(house: ParcelHouse) -> None:
    page = house.viewer.get(addresses.of_item("parcels", "DN0000"))
    assert "100 %" in page.words and "4 done" in page.words and "Replies" in page.words
    assert "mail" in page.words and parcels.SECRET not in page.text
    assert "Nobody has flagged it." in page.words


@pytest.mark.parametrize("key", ["..", ".", "a/b", "/", "a//b/", "%2F", "ä ?#&=+", "x" * 255])
def test_every_key_has_a_page(house: ParcelHouse, key: str) -> None:
    with house.state.begin() as connection:
        new = NewItem(key, "{}", house.desk.now())
        item_adding.add(connection, parcels.pipeline().plan, [new], house.desk.now())
    listed = house.viewer.get(addresses.of_pipeline("parcels", key=key, state="open"))
    path = addresses.of_item("parcels", key)
    assert path.replace("&", "&amp;") in listed.text
    page = house.viewer.get(path)
    assert page.status == 200 and f"Steps of {key}" in [one[1].get("aria-label") for one in page.read.tags]


def test_what_is_not_there_is_told(house: ParcelHouse) -> None:
    page = house.viewer.get("/pipelines/parcels/items/nobody")
    assert page.status == 404 and "There is no item nobody in parcels" in page.words
    assert house.viewer.get("/pipelines/nothing/items/DN0001").status == 404
    assert house.viewer.get("/pipelines/parcels/item").status == 422
