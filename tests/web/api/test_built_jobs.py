"""The API of jobs that build on one another."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.small_engine import eventually
from tests.web import builders
from tests.web.building_house import House, building

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with building(tmp_path_factory.mktemp("builders")) as one:
        yield one


@pytest.fixture
def api(house: House) -> Ask:
    def ask(method: str, path: str, body: object = None) -> tuple[int, Any]:
        token = json.loads(house.operator.get("/api/session").text)["csrf_token"]
        return house.operator.ask(method, f"/api{path}", body, token)

    return ask


def test_the_api_tells_the_graph(house: House, api: Ask) -> None:
    house.built()
    found = {one["id"]: one for one in api("GET", "/graph")[1]["jobs"]}
    assert list(found)[0] == "crawl" and found["publish"]["dependencies"] == ["process"]
    assert (found["process"]["status"], found["process"]["running"], found["fails"]["title"]) == (
        "succeeded",
        False,
        "",
    )
    assert [one["id"] for one in api("GET", "/graph?job=publish")[1]["jobs"]] == ["crawl", "process", "publish"]
    assert api("GET", "/graph?job=large") == (200, {"jobs": []})
    assert api("GET", "/graph?job=nobody")[0] == 404


def test_the_api_runs_a_protected_job_only_when_told_its_id(house: House, api: Ask) -> None:
    house.built()
    before = house.newest("publish")
    for wish in ({}, {"confirm": "crawl"}, {"dry_run": True}):
        status, said = api("POST", "/jobs/publish/run", wish)
        assert status == 422 and said["error"].endswith("publish is protected: give its id to run it"), wish
    assert house.newest("publish") == before
    assert api("POST", "/jobs/publish/run", {"confirm": "publish"})[0] == 202
    assert eventually(lambda: house.newest("publish") > before)


def test_the_api_deletes_a_run(house: House, api: Ask) -> None:
    run = house.run("large")
    assert api("DELETE", f"/runs/{run}") == (200, {"changed": True})
    assert api("DELETE", f"/runs/{run}") == (404, {"error": f"there is no run {run}"})
    crawl, _ = house.built()
    stuck = Path(f"{house.seen}.stuck")
    stuck.touch()
    try:
        status, said = api("DELETE", f"/runs/{crawl}")
    finally:
        stuck.unlink()
    assert status == 409 and "the pages of run" in said["error"]
    page = api("GET", f"/runs/{crawl}")[1]
    assert page["kept_because"] == said["error"] and page["result"]["odd"] == r"\ud800"
    assert builders.SECRET not in json.dumps(page["result"]) and page["result"]["secret"] != ""
    assert (page["result"]["day"], page["has_result"], page["config"]["id"]) == ("2026-03-01", True, "crawl")


def test_an_address_tells_all_that_it_takes(house: House) -> None:
    refused = house.operator.post("/api/runs/1")
    assert (refused.status, refused.headers["Allow"]) == (405, "DELETE, GET")
    assert house.operator.post("/api/jobs").headers["Allow"] == "GET"
