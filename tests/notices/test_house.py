"""The notices of the house: a new state database, and a restored one, are told for a day, each once."""

from datetime import timedelta

from janitor.notices import house as house_rules
from janitor.state import identity
from janitor.state.identity import Identity
from tests.notices.house import NOON, House

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_a_new_state_database_is_told_for_a_day(any_house: House) -> None:
    house, watch = any_house, any_house.watch("notebook", "other")
    with house.runner.state.begin() as connection:
        identity.ensure(connection, NOON, made_at=NOON)
    for moment in (NOON, NOON + HOUR, NOON + DAY - MINUTE):
        house.look(watch, moment)
    assert house.told() == house.told("other") == ["began janitor state_made"]
    house.look(house.watch(), NOON + DAY)
    assert house.told() == ["began janitor state_made", "ended janitor state_made"]
    first, last = house.contents()
    assert first.text.startswith("there was no state database at ") and first.links == []
    assert last.over == "it was told for a day"


def test_a_restore_is_told_with_what_is_lost(house: House) -> None:
    with house.runner.state.begin() as connection:
        found = identity.ensure(connection, NOON - 9 * HOUR)
        identity.restored(connection, found, found.age, NOON, NOON - HOUR)
    house.look(house.watch(), NOON + MINUTE)
    (content,) = house.contents()
    assert content.subject == "janitor has a restored state database"
    assert "between 2026-07-01 03:00:30 UTC and 2026-07-01 11:00:30 UTC is lost" in content.text


def test_a_state_database_of_long_ago_is_no_news() -> None:
    assert house_rules.conditions(None, "here", NOON) == {}
    old = Identity("5f3a", 1, 1, NOON, made_at=NOON - DAY, restored_at=NOON - DAY)
    assert house_rules.conditions(old, "here", NOON) == {}
    assert house_rules.conditions(Identity("5f3a", 1, 1, NOON), "here", NOON) == {}
