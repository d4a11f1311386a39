"""Notices of items: each is told as it begins, and as it is over, with where to look."""

from dataclasses import replace
from datetime import timedelta
from html import escape
from pathlib import Path

import pytest

from janitor.state import item_acts, item_letters, item_replies, job_records
from tests.notices.contents import CONTENT
from tests.notices.house import NOON, House
from tests.notices.parcel_house import build, bury, give_up, owe, with_parcels
from tests.small_engine import empty_state
from tests.state.parcels import PLAN, add, end, take
from tests.web.desks import ask, served

SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1))
PAGE = "https://janitor.example.org/pipelines/parcels"


@pytest.fixture
def parcels(any_house: House) -> House:
    """A house with a pipeline, and the address of its dashboard."""
    settings = any_house.runner.settings
    any_house.runner.settings = settings.model_copy(update={"web_url": "https://janitor.example.org/"})
    return with_parcels(any_house)


def over(house: House) -> str:
    """Why the newest notice is over."""
    return house.contents()[-1].over


def test_a_step_that_fails_is_told_until_it_ends_well(parcels: House) -> None:
    house, state = parcels, parcels.runner.state
    run_id = house.ran("succeeded", job="parcels.fetch")
    watch = house.watch(rules="step_fails failed")
    ids = add(state, *"abcd", at=NOON)
    for number, item_id in enumerate(ids[:3]):
        house.look(watch, NOON + number * SECOND)
        end(state, "fetch", item_id, status="failed", at=NOON + number * SECOND, reason=f"no space at {number}")
    with state.begin() as connection:
        connection.exec_driver_sql(f"UPDATE item_attempts SET run_id = {run_id}")
    assert house.told() == []
    for look in (MINUTE, 2 * MINUTE, HOUR + MINUTE):
        house.look(watch, NOON + look)
    assert house.told() == ["began parcels.fetch step_fails", "repeated parcels.fetch step_fails"]
    content = house.contents()[0]
    assert content.sentence == "parcels.fetch: failed at each of the last 3 items: no space at 2"
    assert (content.pipeline, content.item, content.run_id) == ("parcels", "c", run_id)
    assert content.links[:2] == [("item c", f"{PAGE}/item?key=c"), ("pipeline parcels", PAGE)]
    # A daemon that starts now tells nothing twice.
    house.look(house.watch(rules="step_fails failed"), NOON + HOUR + 2 * MINUTE)
    end(state, "fetch", ids[3], at=NOON + 2 * HOUR)
    house.look(watch, NOON + 2 * HOUR + SECOND)
    assert house.told()[2:] == ["ended parcels.fetch step_fails"]
    assert over(house) == "it ended well for an item at 2026-07-01 14:00:30 UTC"
    assert house.contents()[-1].links[0] == ("pipeline parcels", PAGE)


def test_items_that_are_retried_by_hand_end_the_notice(parcels: House) -> None:
    house, state = parcels, parcels.runner.state
    watch, ids = house.watch(rules="step_fails"), add(state, *"abc", at=NOON)
    end(state, "fetch", *ids, status="failed", at=NOON, reason="no space")
    house.look(watch, NOON + MINUTE)
    with state.begin() as connection:
        item_acts.retry(connection, PLAN, ids, NOON + MINUTE)
    house.look(watch, NOON + 2 * MINUTE)
    assert house.told() == ["began parcels.fetch step_fails", "ended parcels.fetch step_fails"]
    assert over(house) == "most of the items at which it failed are gone, or are to be tried again"


def test_items_that_wait_are_told_until_they_are_taken(parcels: House) -> None:
    house, state = parcels, parcels.runner.state
    watch, ids = house.watch(rules="items_wait"), add(state, "a", at=NOON)
    for seconds in (0, 599, 600, 601, 660):
        house.look(watch, NOON + seconds * SECOND)
    assert house.told() == ["began parcels.fetch items_wait"]
    said = "parcels.fetch: items wait that could be taken, the first for 10 min 1 s; no run is at work"
    assert house.contents()[0].sentence == said
    take(state, "fetch", *ids, at=NOON + HOUR)
    house.look(watch, NOON + HOUR)
    assert house.told()[1:] == ["ended parcels.fetch items_wait"]
    assert over(house) == "nothing waits any more that could be taken"


def test_a_step_that_is_paused_lets_nothing_wait(house: House) -> None:
    with_parcels(house)
    watch = house.watch(rules="items_wait")
    add(house.runner.state, "a", at=NOON)
    house.look(watch, NOON + HOUR)
    with house.runner.state.begin() as connection:
        job_records.pause(connection, "parcels.fetch", "with work", NOON + HOUR, "anna")
    house.look(watch, NOON + HOUR + MINUTE)
    assert house.told() == ["began parcels.fetch items_wait", "ended parcels.fetch items_wait"]
    assert over(house) == "it is paused"


def test_dead_letters_are_told_until_they_are_dropped(parcels: House) -> None:
    house, state = parcels, parcels.runner.state
    watch = house.watch(rules="dead_letters_growing", notice_dead_letters=2)
    ids = bury(state, NOON, "no JSON")
    house.look(watch, NOON)
    ids += bury(state, NOON + MINUTE, "no key")
    for look in (MINUTE, 2 * HOUR):
        house.look(watch, NOON + look)
    ids += bury(state, NOON + 3 * HOUR, "no key")
    house.look(watch, NOON + 3 * HOUR)
    began, again = "began parcels.desk dead_letters_growing", "repeated parcels.desk dead_letters_growing"
    assert house.told() == [began, again]
    with state.begin() as connection:
        item_letters.drop(connection, ids[:2], "anna", NOON)
    house.look(watch, NOON + 4 * HOUR)
    assert house.told()[2:] == ["ended parcels.desk dead_letters_growing"]
    assert over(house) == "1 dead letter that came within a day is still there"


def test_a_reply_that_does_not_arrive_is_told_until_it_does(parcels: House) -> None:
    house, state = parcels, parcels.runner.state
    watch = house.watch(rules="reply_undelivered")
    (one,) = owe(state, NOON, "a", tries=9)
    for minutes in (4, 5, 6):
        house.look(watch, NOON + minutes * MINUTE)
    assert house.told() == ["began parcels.mail reply_undelivered"]
    assert house.contents()[0].item == "a"
    with state.begin() as connection:
        item_replies.note_sent(connection, "parcels", [one], NOON)
    house.look(watch, NOON + 7 * MINUTE)
    give_up(state, owe(state, NOON, "b"), NOON + 8 * MINUTE, "no such mailbox")
    house.look(watch, NOON + 8 * MINUTE)
    house.look(watch, NOON + 9 * MINUTE + DAY)
    told = ["ended parcels.mail reply_undelivered", "began parcels.mail reply_undelivered"]
    assert house.told()[1:] == [*told, "ended parcels.mail reply_undelivered"]
    assert over(house) == "no reply fails any more, and none was given up within a day"


@pytest.mark.parametrize("key", ["a", "..", "a/../b?c=1&d#e", "ü %2F"])
def test_each_link_leads_to_a_page(request: pytest.FixtureRequest, tmp_path: Path, key: str) -> None:
    request.param = "sqlite"
    with served(empty_state(request, tmp_path), tmp_path, build) as (desk, address):
        add(desk.state, key)
        bury(desk.state, NOON, "no JSON")
        about = replace(CONTENT, pipeline="parcels", item=key, job="parcels.fetch", run_id=None, web_url=address)
        of_letters = replace(about, rule="dead_letters_growing", job="parcels.desk")
        links = dict([*about.links, *of_letters.links])
        assert len(links) == 5
        for name, link in links.items():
            answer = ask(link, Accept="text/html")
            assert answer.status == 200, name
            assert not name.startswith("item") or escape(key) in answer.text
