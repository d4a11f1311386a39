"""The facts of every job, put together from the state database."""

from collections.abc import Sequence
from datetime import timedelta

from janitor.notices.facts import Facts
from janitor.notices.finder import Finder, enabled_at
from janitor.notices.history import History
from janitor.settings.notices import NoticeRules
from janitor.state import job_records, memories, quarantine
from janitor.state.quarantine import Quarantined
from tests.notices.house import NOON, House


def rules(house: House, names: str) -> dict[str, NoticeRules]:
    """Give every job these rules."""
    return {job: NoticeRules.model_validate({"notice_rules": names}) for job in house.jobs}


def found(house: House, finder: Finder) -> dict[str, Facts]:
    """Let a finder look at noon, and return the facts by job."""
    with house.runner.state.read() as connection:
        moment = finder.moment(connection, house.jobs, job_records.all_jobs(connection), NOON)
    return {name: finder.facts(job, History(), moment) for name, job in house.jobs.items()}


def put(house: House, keys: Sequence[str]) -> None:
    """Put rows into the quarantine of `copy`."""
    with house.runner.state.begin() as connection:
        quarantine.put(connection, "copy", [Quarantined(key, "no location") for key in keys], NOON, 1)


def test_the_facts_of_a_job_come_from_its_own_records(house: House) -> None:
    going_on = house.ran(None)
    put(house, ["DN1", "DN2", "DN3"])
    facts = found(house, Finder(rules(house, "all")))
    assert facts["copy"].running is not None and facts["copy"].running.id == going_on
    assert (facts["copy"].quarantined, facts["clean"].quarantined, facts["clean"].running) == (3, 0, None)
    assert facts["clean"].enabled_at == NOON - timedelta(days=1)
    assert facts["clean"].overdue_since == NOON.replace(day=30, month=6, hour=14, second=5)


def test_quarantines_are_not_counted_at_every_look(house: House) -> None:
    """Given a finder that has counted.

    More rows come into quarantine.
    Must hold: it tells the old count for a while; a finder that has not counted yet tells the new count.
    """
    finder = Finder(rules(house, "quarantine_growing"))
    put(house, ["DN1"])
    assert found(house, finder)["copy"].quarantined == 1
    put(house, ["DN2", "DN3"])
    assert found(house, finder)["copy"].quarantined == 1
    assert found(house, Finder(rules(house, "quarantine_growing")))["copy"].quarantined == 3


def test_a_quarantine_of_another_name_is_its_job_s(house: House) -> None:
    with house.runner.state.begin() as connection:
        quarantine.put(connection, "the task's", [Quarantined("DN1", "no location")], NOON, 1)
        for job in ("clean", "copy"):
            memories.remember(connection, job, "the task's")
    facts = found(house, Finder(rules(house, "quarantine_growing")))
    # Both jobs are the task's; the first of them tells.
    assert [(job, one.quarantined) for job, one in facts.items()] == [("copy", 1), ("clean", 0)]


def test_what_no_rule_asks_for_is_not_looked_up(house: House) -> None:
    put(house, ["DN1"])
    facts = found(house, Finder(rules(house, "failed")))
    assert (facts["copy"].quarantined, facts["copy"].overdue_since) == (0, None)


def test_a_job_that_is_not_known_has_no_first_moment() -> None:
    assert enabled_at({}, "copy") is None
