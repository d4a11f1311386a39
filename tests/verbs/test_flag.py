"""The verb `flag`: an item is marked for people, and what became of it is noted."""

from tests import items_house
from tests.command_line import USER
from tests.items_house import House


def test_an_item_is_flagged_until_it_is_resolved(parcels: House) -> None:
    items_house.add(parcels, "a/b", "c")
    assert parcels("flag", "parcels/a/b", "looks odd").out == "parcels/a/b is flagged\n"
    [row] = parcels("items", "parcels", "--flagged").rows
    assert (row["key"], row["flag"]) == ("a/b", "looks odd")
    assert parcels("flag", "parcels/a/b", "it is fine", "--resolve").out == "the flag of parcels/a/b is resolved\n"
    assert parcels("items", "parcels", "--flagged").rows == []
    assert parcels("flag", "parcels/c", "it is fine", "--resolve").out == "parcels/c has no flag that is open\n"
    rows = parcels("history", "--json").json
    assert [(row["actor"], row["action"], row["detail"]) for row in rows] == [
        (USER, "flag resolved", "a/b: it is fine"),
        (USER, "flagged", "a/b: looks odd"),
    ]


def test_a_flag_needs_an_item_and_a_note(parcels: House) -> None:
    items_house.add(parcels, "a")
    assert parcels("flag", "parcels/a").err == "janitor: NOTE is missing: say what people are to look at\n"
    assert parcels("flag", "parcels/a", "--resolve").err == "janitor: NOTE is missing: say what became of the flag\n"
    assert parcels("flag", "parcels", "odd").err == "janitor: the item is 'parcels': give PIPELINE/KEY\n"
    assert parcels("flag", "parcels/b", "odd").err.startswith("janitor: the key is 'b': parcels has no such item")
