"""The list of pipelines."""

from pathlib import Path

from sqlalchemy import URL

from tests.small_engine import migrated
from tests.web import parcel_house, parcels
from tests.web.desks import add_jobs, served
from tests.web.visitor import Visitor


def test_each_pipeline_shows_where_its_items_are(tmp_path: Path) -> None:
    with parcel_house.standing(tmp_path, parcel_house.HOSTILE) as house:
        page = house.viewer.get("/pipelines")
        for said in (
            "60 items: 40 open, 20 done, 0 failed",
            "55 %",
            "34 done, 20 waiting, 6 failed",
            "24 done, 30 waiting, 6 blocked",
            "dead letters: 3",
            "replies waiting: 1",
            f"switched off: {parcels.OFF}",
            "its rate is not known yet",
        ):
            assert said in parcel_house.told(page), said
        assert page.link("parcels") == "/pipelines/parcels"
        failed = "/pipelines/parcels?step=match&state=failed&status=no+host#items"
        assert failed in page.links("/pipelines/")
        overview = house.viewer.get("/")
        assert "133 done, 93 waiting, 2 processing, 6 blocked, 6 failed" in parcel_house.told(overview)
        assert overview.link("parcels") == "/pipelines/parcels"
        for path in ("/pipelines", "/", "/jobs", "/jobs/parcels.match"):
            assert parcel_house.HOSTILE not in house.viewer.get(path).text


def test_without_any_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    migrated(url).close()
    with served(url, tmp_path, add_jobs) as (_, address):
        assert "There are no pipelines." in Visitor(address).get("/pipelines").words
        assert "pipelines-title" not in Visitor(address).get("/").text
