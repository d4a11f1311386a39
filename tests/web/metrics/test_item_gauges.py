"""Metrics of items: how many are where, for how long they wait, and what steps did, from the state database.

Given: a daemon with a pipeline, whose items are in every state.
What happens: it is scraped.
What must hold: each number is that of the state database; what there is none of is 0; nothing else is told.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from janitor.scheduler import Scheduler
from janitor.state import item_replies
from janitor.state.item_counts import Changes
from janitor.state.item_states import DONE
from janitor.web.desk import Desk
from janitor.web.metrics import vitals
from janitor.web.metrics.vitals import Vitals
from tests.notices.parcel_house import build, bury, owe
from tests.small_engine import empty_state, eventually, now
from tests.state.parcels import add, end, take
from tests.web.desks import ask, served
from tests.web.metrics.scraping import OPENMETRICS, Samples, scraped

HOUR = timedelta(hours=1)


def add_parcels(scheduler: Scheduler) -> None:
    """A pipeline, one step of which only people begin, and a job that is part of none."""
    build(scheduler, count="by hand")
    add_copy(scheduler)


def add_copy(scheduler: Scheduler) -> None:
    """A job that is part of no pipeline."""
    scheduler.add_job(print, "interval", hours=1, id="copy")


@pytest.fixture(params=["sqlite"])
def house(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Desk, str]]:
    monkeypatch.setattr(vitals, "KEEP_SECONDS", 0.05)
    with served(empty_state(request, tmp_path), tmp_path, add_parcels) as found:
        yield found


def there(samples: Samples, name: str) -> dict[tuple[str, ...], float]:
    """The samples of a name that are not 0, by their labels in the order of the labels' names."""
    return {key[1:]: value for key, value in samples.items() if key[0] == name and value}


def test_each_item_counts_where_it_is(house: tuple[Desk, str]) -> None:
    desk, address = house
    a, b, c, d, _ = add(desk.state, *"abcde", at=now())
    end(desk.state, "fetch", a, b, at=now())
    end(desk.state, "fetch", c, status="no host", at=now())
    end(desk.state, "match", a, status="few filters", at=now())
    take(desk.state, "fetch", d, at=now())
    samples = scraped(address)
    assert there(samples, "janitor_items") == {
        ("parcels.fetch", "parcels", "ready", "not processed"): 1,
        ("parcels.fetch", "parcels", "processing", "processing"): 1,
        ("parcels.fetch", "parcels", "done", "processed"): 2,
        ("parcels.fetch", "parcels", "failed", "no host"): 1,
        ("parcels.match", "parcels", "ready", "not processed"): 1,
        ("parcels.match", "parcels", "waiting", "not processed"): 2,
        ("parcels.match", "parcels", "blocked", "not processed"): 1,
        ("parcels.match", "parcels", "done", "few filters"): 1,
        ("parcels.count", "parcels", "left out", "not processed"): 1,
        ("parcels.count", "parcels", "waiting", "not processed"): 3,
        ("parcels.count", "parcels", "blocked", "not processed"): 1,
    }
    assert there(samples, "janitor_items_claimed") == {("parcels.fetch", "parcels"): 1}
    assert there(samples, "janitor_pipeline_items") == {
        ("parcels", "open"): 3,
        ("parcels", "done"): 1,
        ("parcels", "failed"): 1,
    }


def test_what_there_is_none_of_is_0_from_the_start(house: tuple[Desk, str]) -> None:
    _, address = house
    samples = {key: value for key, value in scraped(address).items() if "_item" in key[0] or len(key) < 3}
    of_items = {key for key in samples if key[0].startswith("janitor_item")}
    assert of_items and not any(samples[key] for key in of_items)
    assert ("janitor_items", "parcels.fetch", "parcels", "failed", "time limit exceeded") in of_items
    assert ("janitor_item_attempts_total", "parcels.match", "ok", "parcels", "processed") in of_items
    assert ("janitor_item_attempts_total", "parcels.match", "none", "parcels", "interrupted") in of_items
    assert samples["janitor_dead_letters", "parcels"] == 0
    replies = {key[2]: value for key, value in scraped(address).items() if key[0] == "janitor_replies"}
    assert replies == {"waiting": 0, "sent": 0, "given up": 0}


def test_attempts_and_their_seconds_are_those_of_all_time(house: tuple[Desk, str]) -> None:
    desk, address = house
    a, b = add(desk.state, *"ab", at=now())
    end(desk.state, "fetch", a, at=now())
    with desk.state.begin() as connection:
        changes = Changes("parcels")
        changes.tried("fetch", "failed", 2.5)
        changes.tried("fetch", "interrupted", 0.5)
        # A status of an earlier release, and a step that is gone.
        changes.tried("fetch", "lost", 4.0)
        changes.add("fetch", DONE, "lost")
        changes.tried("gone", "processed", 8.0)
        changes.write(connection)
    end(desk.state, "fetch", b, status="failed", at=now())
    for accept in ("", OPENMETRICS):
        samples = scraped(address, accept)
        counts = there(samples, "janitor_item_attempts_total")
        assert counts == {
            ("parcels.fetch", "error", "parcels", "failed"): 2,
            ("parcels.fetch", "none", "parcels", "interrupted"): 1,
            ("parcels.fetch", "none", "parcels", "other"): 1,
            ("parcels.fetch", "ok", "parcels", "processed"): 1,
        }
        seconds = there(samples, "janitor_item_attempt_seconds_total")
        assert list(seconds.values()) == [1.0, 3.5, 0.5, 4.0] and set(seconds) == set(counts)
        assert samples["janitor_items", "parcels.fetch", "parcels", "done", "other"] == 1


def waited(address: str) -> dict[str, float]:
    """For how many seconds an item waits, by step; the step that only people begin tells nothing."""
    found = {key[1]: value for key, value in scraped(address).items() if "oldest" in key[0]}
    assert set(found) == {"parcels.fetch", "parcels.match"}
    return found


def test_the_oldest_waits_for_as_long_as_it_could_be_taken(house: tuple[Desk, str]) -> None:
    desk, address = house
    (one,) = add(desk.state, "a", at=now() - HOUR)
    for step in ("fetch", "match"):
        # What was read is kept for a moment.
        eventually(lambda: 3_600 <= waited(address)[f"parcels.{step}"] < 3_700)
        assert sum(waited(address).values()) < 3_700
        end(desk.state, step, one, at=now() - HOUR)
    assert eventually(lambda: not any(waited(address).values()))


def test_dead_letters_and_replies_are_counted(house: tuple[Desk, str]) -> None:
    desk, address = house
    bury(desk.state, now(), "no JSON", "no key")
    waiting, sent, *_ = owe(desk.state, now(), *"abc")
    with desk.state.begin() as connection:
        item_replies.note_sent(connection, "parcels", [sent], now())
        item_replies.give_up(connection, "parcels", [waiting], now(), "refused")
    samples = scraped(address)
    assert there(samples, "janitor_dead_letters") == {("parcels",): 2}
    assert there(samples, "janitor_replies") == {
        ("parcels", "waiting"): 1,
        ("parcels", "sent"): 1,
        ("parcels", "given up"): 1,
    }


def test_counts_are_read_in_one_statement_for_all_pipelines(house: tuple[Desk, str]) -> None:
    """Given a daemon with two pipelines, and items that wait.

    Its counts are read in one statement, and which item waits longest in two.
    """
    desk, _ = house
    add(desk.state, "a", at=now())
    asked: list[str] = []
    event.listen(desk.state._reader, "before_cursor_execute", lambda *given: asked.append(given[2]))
    signs = Vitals(desk).items.get(30).value
    assert signs is not None and set(signs.waiting) == {"parcels.fetch"}
    assert [("item_counts" in one, "item_steps" in one) for one in asked] == [
        (True, False),
        (False, True),
        (False, True),
    ]


def test_a_daemon_without_a_pipeline_tells_nothing_of_items(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    request.param = "sqlite"
    with served(empty_state(request, tmp_path), tmp_path, add_copy) as (desk, address):
        add(desk.state, "a")
        assert "janitor_item" not in ask(f"{address}/metrics").text
