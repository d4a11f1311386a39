"""The verb `item`: one item with its steps, attempts, arguments, results and replies."""

from tests import items_house
from tests.items_house import House
from tests.verbs.house import LABWHERE, SECRET


def test_an_item_is_shown_with_all_that_is_kept_of_it(parcels: House) -> None:
    parcels.folder.joinpath("one.json").write_text('{"key": "a/b", "lost": true, "weight": 3}')
    assert parcels("push", "parcels", "one.json").code == 0
    for step in ("fetch", "match"):
        assert parcels.in_processes("run", f"parcels.{step}").code == 0
    found = parcels("item", "parcels/a/b", "--json").json
    assert (found["key"], found["state"], found["origin"]) == ("a/b", "failed", "by hand")
    assert found["args"] == {"key": "a/b", "lost": True, "weight": 3} and found["results"] == {"fetch": {"weight": 3}}
    assert [(step["step"], step["state"], step["status"]) for step in found["steps"]] == [
        ("fetch", "done", "processed"),
        ("match", "failed", "no host"),
        ("count", "blocked", "not processed"),
    ]
    assert [(one["step"], one["run"], one["status"]) for one in found["attempts"]] == [
        ("fetch", 1, "processed"),
        ("match", 2, "no host"),
    ]
    text = parcels("item", "parcels/a/b").out
    for line in ("item      parcels/a/b", "done      33% of its steps", 'result    fetch: {"weight":3}'):
        assert line in text.splitlines()
    assert "step      match: no host since " in text and "attempt 2: match in run 2 at " in text


def test_an_item_that_is_not_there_is_told(parcels: House) -> None:
    for typed in ("parcels", "parcels/", "/a"):
        assert parcels("item", typed).err == f"janitor: the item is '{typed}': give PIPELINE/KEY\n"
    said = "janitor: the key is 'a': parcels has no such item; `items parcels` lists what it has\n"
    assert (parcels("item", "parcels/a").code, parcels("item", "parcels/a").err) == (2, said)


def test_an_item_shows_no_secret_of_the_settings(parcels: House) -> None:
    # Given an item that got a password among its arguments. What must hold: it is shown without it.
    parcels.folder.joinpath("one.json").write_text(f'{{"key": "a", "url": "see {SECRET}"}}')
    parcels("push", "parcels", "one.json")
    for options in ((), ("--json",)):
        shown = parcels("item", "parcels/a", *options, LABWHERE_DATABASE_URL=LABWHERE)
        assert shown.code == 0 and SECRET not in shown.out and "see ***" in shown.out


def test_a_flag_is_shown_with_who_set_it(parcels: House) -> None:
    items_house.add(parcels, "a")
    parcels("flag", "parcels/a", "odd")
    text = parcels("item", "parcels/a").out
    assert "\nflag      odd, by " in text and "\nresolved" not in text
    parcels("flag", "parcels/a", "all is fine", "--resolve")
    assert "\nresolved  all is fine, by " in parcels("item", "parcels/a").out
