"""The page of a pipeline: its progress, and the items that its filters choose."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from janitor.state import item_counts
from janitor.web import addresses
from janitor.web.pages.items import SPANS
from tests.web import parcel_house, parcels
from tests.web.parcel_house import ParcelHouse
from tests.web.visitor import Page

PATH = "/pipelines/parcels"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParcelHouse]:
    with parcel_house.standing(tmp_path_factory.mktemp("parcels"), parcel_house.HOSTILE) as one:
        yield one


def keys(page: Page) -> list[str]:
    """The items that a page lists."""
    found = [href for href, _ in page.read.links if href.startswith(f"{PATH}/items/")]
    return [href.removeprefix(f"{PATH}/items/") for href in found]


@pytest.mark.parametrize(
    ("query", "count", "first"),
    [
        ("", 60, "DN0059"),
        ("state=done", 20, "DN0019"),
        ("step=match&state=failed", 6, "DN0035"),
        ("step=match&status=few+filters", 4, "DN0039"),
        ("status=no+host", 6, "DN0035"),
        ("step=send&state=left+out", 4, "DN0039"),
        ("key=DN001", 10, "DN0019"),
        ("key=DN00*&state=done", 20, "DN0019"),
        ("key=%20DN0007%20", 1, "DN0007"),
        ("flagged=true", 1, quote(parcels.ODD, safe="")),
        ("step=no+such&state=odd&status=gone", 60, "DN0059"),
    ],
)
def test_filters_in_the_address_choose_items(house: ParcelHouse, query: str, count: int, first: str) -> None:
    page = house.viewer.get(f"{PATH}?{query}")
    assert page.status == 200 and f"{count} item{'' if count == 1 else 's'}" in page.words
    assert keys(page)[0] == first and len(keys(page)) == min(50, count)


def test_what_fits_nothing_and_what_cannot_be_looked_for_is_told(house: ParcelHouse) -> None:
    assert "No item fits." in house.viewer.get(f"{PATH}?key=nobody").words
    page = house.viewer.get(f"{PATH}?key=a*b")
    assert page.status == 200 and "give a whole key, or how keys begin and a * at its end" in page.words
    assert house.viewer.get(f"{PATH}?key=%00&after=zwei&span=century").status == 200


def test_pages_lead_to_all_items_and_back(house: ParcelHouse) -> None:
    first = house.viewer.get(f"{PATH}?state=open&key=DN00")
    assert len(keys(first)) == 39 and first.link("More") is None
    first = house.viewer.get(PATH)
    more = house.viewer.get(first.link("More") or "")
    assert keys(more) == [f"DN{number:04}" for number in range(9, -1, -1)]
    assert more.link("More") is None and more.link("The first") == PATH


def test_an_item_has_badges_coloured_by_kind_and_a_bar(house: ParcelHouse) -> None:
    page = house.viewer.get(f"{PATH}?key=DN0030")
    for badge in (
        'o-ok">weigh: processed',
        'o-error">match: no host',
        'o-waiting">photo: ready',
        'o-blocked">send: blocked',
    ):
        assert f'class="badge {badge}' in page.text, badge
    assert '<progress max="1" value="0.25"' in page.text and "25 %" in page.words


def test_progress_rate_and_time_to_the_end_are_told(house: ParcelHouse) -> None:
    page = house.viewer.get(PATH)
    for said in ("60 items", "40 open", "133 done, 93 waiting, 2 processing, 6 blocked, 6 failed", "55 %", "flagged 1"):
        assert said in parcel_house.told(page), said
    with house.state.begin() as connection:
        item_counts.save_snapshot(connection, "parcels", house.desk.now() - timedelta(minutes=5))
    try:
        page = house.operator.get(PATH)
        assert "0 steps an hour: does not end at this rate" in page.words
    finally:
        with house.state.begin() as connection:
            moment = item_counts.newest_snapshot(connection, "parcels")
            assert moment is not None
            item_counts.drop_snapshots(connection, "parcels", [moment])


def test_the_chart_goes_back_as_far_as_is_asked(house: ParcelHouse) -> None:
    page = house.viewer.get(f"{PATH}?state=open")
    assert page.link("hour") == f"{PATH}?state=open&span=hour"
    assert "Open items of parcels: 40 at the end, 60 at most" in page.text
    columns = {span: house.viewer.get(f"{PATH}?span={span}").text.count(" open</title>") for span in SPANS}
    assert columns["day"] == 21 and columns["hour"] < 2 and 0 < columns["year"] <= columns["month"] <= 3


def test_no_text_of_others_is_run_and_no_secret_is_shown(house: ParcelHouse) -> None:
    paths = (PATH, f"{PATH}/letters", addresses.of_item("parcels", parcels.ODD), "/history?job=parcels")
    for path in (*paths, f"{PATH}?key={quote(parcel_house.HOSTILE)}"):
        page = house.operator.get(path)
        assert page.status == 200 and parcel_house.HOSTILE not in page.text and parcels.SECRET not in page.text, path


def test_a_pipeline_that_is_unknown_or_gone(house: ParcelHouse, tmp_path: Path) -> None:
    page = house.viewer.get("/pipelines/parcel")
    assert page.status == 404 and "There is no pipeline parcel. The pipelines are parcels." in page.words
    assert house.viewer.get("/jobs/parcels").path == PATH, "what people did to items leads there"
    with parcel_house.standing(tmp_path) as other:
        other.desk.daemon.jobs.replace({})
        gone = other.operator.get(PATH)
        assert gone.status == 200 and "This pipeline is gone." in gone.words and len(keys(gone)) == 50
        assert gone.links("/jobs/parcels") == [] and "gone" in other.operator.get("/pipelines").words
