"""The facts of items by job: what a job's pipeline says, and what no rule asks for is not looked up."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import event

from janitor.notices.facts import Facts
from janitor.notices.finder import Finder
from janitor.notices.history import History
from janitor.notices.item_facts import ItemFacts
from janitor.settings.notices import NoticeRules
from janitor.state import actions, job_records
from tests.notices.house import NOON, House
from tests.notices.parcel_house import bury, give_up, owe, with_parcels
from tests.state.parcels import add, end

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def found(house: House, names: str = "all", finder: Finder | None = None) -> dict[str, Facts]:
    """Let a finder look at noon; the facts by job."""
    rules = {job: NoticeRules.model_validate({"notice_rules": names}) for job in house.jobs}
    finder = finder or Finder(rules)
    with house.runner.state.read() as connection:
        moment = finder.moment(connection, house.jobs, job_records.all_jobs(connection), NOON)
    return {name: finder.facts(job, History(), moment) for name, job in house.jobs.items()}


def waiting(house: House) -> dict[str, timedelta]:
    """For how long items wait at noon, by job."""
    facts = found(house, "items_wait")
    return {name: NOON - since for name, one in facts.items() if (since := one.items.waiting_since) is not None}


def test_each_job_has_the_facts_of_its_own_items(house: House) -> None:
    with_parcels(house)
    state = house.runner.state
    first, *_ = add(state, "a", "b", at=NOON - HOUR)
    end(state, "fetch", first, status="failed", at=NOON - HOUR, reason="no space left")
    bury(state, NOON - HOUR, "no JSON", "no key")
    bury(state, NOON - HOUR, "no JSON", inbox="gone")
    give_up(state, owe(state, NOON - HOUR, "a"), NOON - MINUTE, "refused")
    facts = {name: one.items for name, one in found(house).items()}
    assert set(facts) == {
        *("copy", "clean", "parcels.fetch", "parcels.match", "parcels.count", "parcels.desk", "parcels.mail")
    }
    assert facts["copy"] == ItemFacts()
    fetch = facts["parcels.fetch"]
    assert (fetch.streak.failures, fetch.fails_in_a_row, fetch.waits_seconds) == (1, 3, 600)
    assert fetch.waiting_since == NOON - HOUR and fetch.letters is None
    assert facts["parcels.match"].waiting_since is None and facts["parcels.match"].streak.failures == 0
    letters = facts["parcels.desk"].letters
    assert letters is not None and letters.number == 2
    assert facts["parcels.mail"].undelivered.given_up == 1


def test_a_step_that_rests_lets_nothing_wait(house: House) -> None:
    """Given items that wait at a step since yesterday. The step is paused, resumed, switched off, and on again.

    Meanwhile nothing waits for it; later what waits does so since it may be taken.
    """
    with_parcels(house)
    add(house.runner.state, "a", at=NOON - 12 * HOUR)
    assert waiting(house) == {"parcels.fetch": 12 * HOUR}
    with house.runner.state.begin() as connection:
        job_records.pause(connection, "parcels.fetch", "with work", NOON, "anna")
    assert waiting(house) == {}
    with house.runner.state.begin() as connection:
        job_records.resume(connection, "parcels.fetch")
        actions.record(connection, "anna", "resumed", "parcels.fetch", "", NOON - HOUR)
    assert waiting(house) == {"parcels.fetch": HOUR}
    job = house.jobs["parcels.fetch"]
    house.jobs["parcels.fetch"] = replace(job, disabled_because="PARCELS_FETCH_ENABLED=false")
    assert waiting(house) == {}


def test_a_step_with_a_schedule_waits_from_its_next_moment_on(house: House) -> None:
    with_parcels(house, fetch="cron 50 11 * * *")
    add(house.runner.state, "a", at=NOON - 12 * HOUR)
    # Noon is thirty seconds late.
    assert waiting(house) == {"parcels.fetch": timedelta(minutes=10, seconds=30)}


def test_nothing_waits_at_a_step_that_people_begin(house: House) -> None:
    with_parcels(house, fetch="by hand")
    add(house.runner.state, "a", at=NOON - 12 * HOUR)
    assert waiting(house) == {}


def test_a_reply_that_fails_is_known_at_the_next_look(house: House) -> None:
    with_parcels(house)
    state = house.runner.state
    finder = Finder({job: NoticeRules.model_validate({"notice_rules": "all"}) for job in house.jobs})
    (one,) = owe(state, NOON - HOUR, "a", tries=9, due_at=NOON - MINUTE)
    for _ in range(2):
        assert found(house, finder=finder)["parcels.mail"].items.undelivered.failing == (one,)
        owe(state, NOON - HOUR, *(f"b{number}" for number in range(50)), due_at=NOON - MINUTE / 2)


def test_of_items_only_what_a_rule_asks_for_is_read(house: House) -> None:
    with_parcels(house)
    asked: list[str] = []
    with house.runner.state.read() as connection:
        event.listen(connection.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    found(house, "failed")
    assert asked and not [one for one in asked if "item_" in one]
    found(house)
    assert {table for table in ("item_steps", "item_letters", "item_replies") if table in " ".join(asked)} == {
        *("item_steps", "item_letters", "item_replies")
    }


def test_an_inbox_that_has_gone_on_for_a_minute_works(house: House) -> None:
    with_parcels(house)
    run = house.ran(None, NOON - MINUTE, "parcels.desk")
    house.ran(None, NOON - HOUR, "parcels.mail")
    facts = found(house)
    assert [(job, one.works.id) for job, one in facts.items() if one.works is not None] == [("parcels.desk", run)]


def test_an_inbox_that_has_just_begun_may_fail_yet(house: House) -> None:
    with_parcels(house)
    house.ran(None, NOON - MINUTE + timedelta(seconds=1), "parcels.desk")
    assert {one.works for one in found(house).values()} == {None}
