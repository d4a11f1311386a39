"""Pipelines and items: what the API tells of them, and how items come by it."""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from sqlalchemy import select

from janitor.items.waking import listening
from janitor.state import item_counts, item_letters
from janitor.state.item_tables import items
from tests.small_engine import eventually
from tests.web import parcel_house, parcels
from tests.web.api.served import TOKEN, Api
from tests.web.desks import ask
from tests.web.parcel_house import ACTOR, ParcelHouse

ODD = quote(parcels.ODD, safe="")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ParcelHouse]:
    with parcel_house.standing(tmp_path) as one:
        yield one


def get(house: ParcelHouse, path: str = "") -> Any:
    """What is told to a viewer."""
    page = house.viewer.get(f"/api/pipelines{path}")
    assert page.status == 200, (path, page.text)
    return json.loads(page.text)


def test_pipelines_are_told_with_their_numbers(house: ParcelHouse) -> None:
    [line] = get(house)["pipelines"]
    assert (line["name"], line["items"], line["open"], line["dead_letters"]) == ("parcels", 60, 40, 3)
    progress = {name: line["progress"][name] for name in ("done", "waiting", "processing", "blocked", "failed", "all")}
    assert progress == {"done": 133, "waiting": 93, "processing": 2, "blocked": 6, "failed": 6, "all": 240}
    page = get(house, "/parcels")
    assert page["pipeline"] == line and page["statuses"]["few filters"] == "warning" and page["inboxes"] == ["desk"]
    assert json.loads(house.viewer.get("/api/overview").text)["pipelines"] == [line]
    assert json.loads(house.viewer.get("/api/jobs/parcels.match").text)["job"]["pipeline"] == "parcels"


def test_history_is_told_between_two_instants(house: ParcelHouse) -> None:
    now = house.desk.now()
    moments = get(house, "/parcels/history")["moments"]
    assert [one["open"] for one in moments] == [60, *[40] * (len(moments) - 1)] and len(moments) > 15
    assert moments[-1]["steps"]["match"]["failed"] == 6
    since = (now - timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert len(get(house, f"/parcels/history?since={since}&limit=2")["moments"]) == 2
    assert get(house, f"/parcels/history?since={since}&until={since}") == {"moments": []}
    assert get(house, "/parcels/history?until=0001-01-01T00:00:00Z") == {"moments": []}


def test_items_are_listed_by_filters_page_by_page(house: ParcelHouse) -> None:
    first = get(house, "/parcels/items?step=match&state=failed&limit=4")
    assert (first["count"], first["is_counted_out"], len(first["items"])) == (6, True, 4)
    rest = get(house, f"/parcels/items?step=match&state=failed&limit=4&after={first['next_after']}")
    keys = [one["key"] for one in (*first["items"], *rest["items"])]
    assert keys == ["DN0035", "DN0034", "DN0033", "DN0032", parcels.ODD, "DN0030"] and rest["next_after"] is None
    assert get(house, "/parcels/items?key=DN001*&flagged=false&odd=1")["count"] == 10
    assert get(house, "/parcels/items?flagged=true")["items"][0]["flag"] == "look at it "
    for query, said in (("state=odd", "state: "), ("key=a*b", "key: "), ("after=0", "after: ")):
        refused = house.viewer.get(f"/api/pipelines/parcels/items?{query}")
        assert refused.status == 422 and json.loads(refused.text)["error"].startswith(said), query


def test_a_step_that_is_not_there_lists_nothing(house: ParcelHouse) -> None:
    status, told = house.ask("GET", "/parcels/items?step=nowhere")
    assert status == 404 and told["error"].startswith("there is no step nowhere in parcels; its steps are weigh")


def test_an_item_is_told_whole_and_without_secrets(house: ParcelHouse) -> None:
    found = get(house, f"/parcels/items/{ODD}")
    assert found["item"]["key"] == parcels.ODD and found["args"] == {"number": 31, "says": ""}
    assert found["results"] == {"weigh": {"grams": 7, "says": ""}} and found["needs"]["match"] == {"weigh": "processed"}
    assert [one["status"] for one in found["attempts"]] == ["no host", "processed"]
    assert found["attempts"][0]["traceback"].startswith("Traceback") and found["attempts"][1]["log"].startswith("12:00")
    assert found["flag"]["by"] == "anna" and found["item"]["progress"]["share"] == 0.25
    for path in (
        "",
        "/parcels",
        "/parcels/items",
        f"/parcels/items/{ODD}",
        "/parcels/items/DN0000",
        "/parcels/letters",
    ):
        assert parcels.SECRET not in json.dumps(get(house, path)), path


@pytest.mark.parametrize("key", ["a/b", "/", "a//b/", "ä ?#%", "letters"])
def test_a_key_may_hold_anything(house: ParcelHouse, key: str) -> None:
    assert house.ask("POST", "/parcels/items", {"key": key, "n": 1})[1] == {"new": 1, "known": 0, "refused": []}
    assert get(house, f"/parcels/items/{quote(key, safe='')}")["args"] == {"key": key, "n": 1}


def test_items_are_added_and_those_that_cannot_be_are_told(house: ParcelHouse) -> None:
    # Given: two items, one of them known, and two that are none. What happens: they are sent together.
    # What must hold: whoever waits for items is told at once; what can be an item is one, and the others are told.
    sent = [{"key": "N1", "n": 1}, {"key": "DN0001"}, {"n": 2}, {"key": " "}]
    woken = list[str]()
    with listening(lambda firsts: woken.extend(first.lane for first in firsts)):
        status, told = house.ask("POST", "/parcels/items", sent)
    assert woken == ["parcels.weigh"]
    assert (status, told["new"], told["known"]) == (200, 1, 1)
    assert [one["number"] for one in told["refused"]] == [3, 4] and "it has no key" in told["refused"][0]["reason"]
    item = house.item("N1")
    assert item is not None and json.loads(item.args) == {"key": "N1", "n": 1}
    assert house.said()[0] == (ACTOR, "pushed", "parcels", "2 items, the first is N1")
    assert house.ask("POST", "/parcels/items", [])[1] == {"new": 0, "known": 0, "refused": []}


def refused_before_it_is_sent(address: str, path: str, size: int) -> int:
    """The status of the answer to a request whose body is announced and never comes."""
    place = urlsplit(address)
    with closing(http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)) as connection:
        connection.putrequest("POST", path)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(size)), ("Origin", address)):
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().status


def test_a_thousand_items_come_in_one_request_and_no_more(house: ParcelHouse) -> None:
    many = [{"key": f"M{number}", "says": "x" * 100} for number in range(1_001)]
    status, told = house.ask("POST", "/parcels/items", many)
    assert status == 422 and "give an object, or a list of up to 1,000 objects" in told["error"]
    assert house.ask("POST", "/parcels/items", many[:1_000]) == (200, {"new": 1_000, "known": 0, "refused": []})
    assert refused_before_it_is_sent(house.operator.address, "/api/pipelines/parcels/items", 3_000_000) == 413


def test_what_is_no_item_holds_up_no_other(house: ParcelHouse) -> None:
    status, told = house.ask("POST", "/parcels/items", [{"key": "M1"}, 7, {"key": ["M2"]}, None, {"key": "M3"}])
    assert (status, told["new"]) == (200, 2)
    assert told["refused"] == [
        {"number": 2, "reason": "it is a number, and an object is wanted"},
        {"number": 3, "reason": "its key is a list, and the item's key is a text or a whole number"},
        {"number": 4, "reason": "it is null, and an object is wanted"},
    ]


def test_a_body_that_is_no_json_is_told_as_that(house: ParcelHouse) -> None:
    for action in ("items", "retry", "drop"):
        status, told = house.ask("POST", f"/parcels/{action}", b'{"key": "M1",')
        assert status == 400 and told["error"].startswith("the body of this request is no JSON: Expecting property na")
    status, told = house.ask("GET", "/parcels/items?key=a*b")
    assert (status, told["error"]) == (422, "key: this text has not the form that is wanted here")


def test_an_inbox_keeps_secrets_apart_and_what_is_no_item(house: ParcelHouse) -> None:
    sent = [{"key": "I1", "token": "s3cret-word"}, {"token": "s3cret-word"}]
    status, told = house.ask("POST", "/parcels/items?inbox=desk", sent)
    assert (status, told["new"], [one["number"] for one in told["refused"]]) == (200, 1, [2])
    assert "s3cret-word" not in json.dumps(get(house, "/parcels/items/I1"))
    with house.state.read() as connection:
        kept = connection.execute(select(items.c.secrets).where(items.c.key == "I1")).scalar_one()
        letter = item_letters.find(connection, "parcels", limit=1)[0]
    assert kept is not None and "s3cret-word" not in letter.message
    assert get(house, "/parcels/letters")["count"] == 4
    assert house.ask("POST", "/parcels/items?inbox=nowhere", sent)[0] == 404


def test_letters_are_listed_taken_again_and_dropped(house: ParcelHouse) -> None:
    with house.state.begin() as connection:
        for message in ('{"key": "L1"}', "{", '{"token": "***"}'):
            item_letters.add(connection, "parcels", "desk", "late", message, len(message), None, house.desk.now())
    first = get(house, "/parcels/letters?limit=4")
    assert (first["count"], [one["id"] for one in first["letters"]], first["next_after"]) == (6, [6, 5, 4, 3], 3)
    assert house.ask("POST", "/parcels/letters/4/again")[1] == {"is_item": True, "reason": None}
    assert house.item("L1") is not None
    status, told = house.ask("POST", "/parcels/letters/5/again")
    assert (status, told["is_item"]) == (200, False) and told["reason"].startswith("it is no JSON")
    assert house.ask("POST", "/parcels/letters/6/again")[0] == 409
    assert house.ask("POST", "/parcels/letters/4/again")[0] == 404, "it is dropped"
    assert house.ask("POST", "/parcels/letters/drop", {"letters": [1, 2, 99]}) == (200, {"letters": 2})
    assert house.ask("POST", "/parcels/letters/drop", {"letters": [1, 2]}) == (200, {"letters": 0})
    assert [one["id"] for one in get(house, "/parcels/letters")["letters"]] == [7, 6, 3]
    assert house.said()[0][1:] == ("dropped", "parcels", "dead letters 1, 2")


@pytest.mark.slow
def test_items_that_come_by_the_api_are_done_by_the_daemon(start: Callable[..., str]) -> None:
    # Given a daemon with a pipeline. What happens: items are sent, one of which fails.
    # What must hold: each goes through its steps at once, and what came of it is told.
    api = Api(start("parcels", SMALL_HOUSE_PARCELS="1", WEB_OPERATOR_TOKEN=TOKEN))
    sent = [{"key": "box/1"}, {"key": "box/2", "lost": True}]
    assert api("/pipelines/parcels/items", sent) == (200, {"new": 2, "known": 0, "refused": []})
    eventually(lambda: api("/pipelines/parcels/items?key=box/*&state=open")[1]["count"] == 0)
    states = {one["key"]: one["state"] for one in api("/pipelines/parcels/items?key=box/*")[1]["items"]}
    assert states == {"box/1": "done", "box/2": "failed"}
    page = api("/pipelines/parcels/items/box/1")[1]
    assert page["results"] == {"weigh": {"grams": 5}, "send": {"grams": 5}} and page["item"]["origin"] == "by hand"
    run = page["attempts"][0]["run"]
    assert page["attempts"][0]["run_is_kept"] and api(f"/runs/{run}")[1]["run"]["job"] == "parcels.send"
    shown = ask(f"{api.address}/runs/{run}", Authorization=f"Bearer {TOKEN}", Accept="text/html")
    assert shown.status == 200 and "there was work for it" in shown.text
    assert [one["id"] for one in api("/runs?origin=work")[1]["runs"]][-1] <= run
    assert api("/pipelines/parcels/retry", {"key": "box/2"}) == (200, {"items": 1})
    eventually(lambda: len(api("/pipelines/parcels/items/box/2")[1]["attempts"]) == 2)
    assert [one["action"] for one in api("/actions?job=parcels")[1]["actions"]][:2] == ["retried", "pushed"]


def test_a_pipeline_that_is_gone_is_told_and_takes_nothing(house: ParcelHouse) -> None:
    house.desk.daemon.jobs.replace({})
    assert get(house, "/parcels")["pipeline"]["here"] is False and get(house, "/parcels/items")["count"] == 60
    status, told = house.ask("POST", "/parcels/items?inbox=desk", {"key": "x"})
    assert status == 409 and "is gone" in told["error"]


def test_what_is_not_there_is_told(house: ParcelHouse) -> None:
    for path in ("/nothing", "/nothing/history", "/nothing/items", "/nothing/items/x", "/nothing/letters"):
        page = house.viewer.get(f"/api/pipelines{path}")
        assert page.status == 404 and "there is no pipeline nothing; the pipelines are parcels" in page.text, path
    assert "there is no item nobody in parcels" in house.viewer.get("/api/pipelines/parcels/items/nobody").text
    assert house.ask("POST", "/nothing/items", {"key": "x"})[0] == 404
    with house.state.read() as connection:
        assert item_counts.by_state(item_counts.read(connection, "nothing"), "") == {}
