"""Which items a verb is about: one by its key, or those that its options choose, after a question."""

from collections.abc import Sequence
from typing import Any

import click
import pytest

from janitor.errors import BadSetting
from janitor.operations.items import Chosen
from janitor.state.item_search import Wanted
from janitor.verbs import chosen_items
from janitor.verbs.assembly import Assembly
from tests import items_house
from tests.items_house import House
from tests.verbs.house import in_terminal


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("p", ("p", None)),
        ("p/a", ("p", "a")),
        ("p/a/b", ("p", "a/b")),
        ("p//a", ("p", "/a")),
        ("p/", ("p", "")),
    ],
)
def test_a_key_may_hold_a_slash(typed: str, meant: tuple[str, str | None]) -> None:
    assert chosen_items.parts(typed) == meant


@pytest.mark.parametrize("typed", ["p", "p/", "/a", ""])
def test_an_item_has_a_pipeline_and_a_key(typed: str) -> None:
    with pytest.raises(BadSetting, match="the item .*: give PIPELINE/KEY"):
        chosen_items.item_named(typed)


def test_what_was_done_is_told() -> None:
    some, one = Chosen("p", [1, 2], "2 items", [Wanted("p")]), Chosen("p", [1], "a/b")
    told = [chosen_items.told(number, some, "deleted") for number in (0, 1, 1200)]
    assert told == ["0 items of p are deleted", "1 item of p is deleted", "1,200 items of p are deleted"]
    assert [chosen_items.told(number, one, "deleted") for number in (1, 0)] == [
        "p/a/b is deleted",
        "p/a/b stays as it is",
    ]


def chosen(parcels: House, target: str, yes: bool = True, **given: Any) -> list[int]:
    """The ids of the items that are chosen."""
    options = {"step": None, "status": None, "state": None, "key": None, "flagged": False} | given
    unless = options.pop("unless", ())
    with items_house.state_of(parcels) as (state, _):
        assembly = Assembly(items_house.build)
        vars(assembly)["state"] = state
        return list(chosen_items.chosen(assembly, target, options, yes, what="deleted", unless=unless).ids)


def test_items_are_chosen_by_key_or_by_options(parcels: House) -> None:
    one, two = items_house.add(parcels, "a/1", "a/2", fetch="failed")
    [three] = items_house.add(parcels, "b")
    assert chosen(parcels, "parcels/a/1") == [one]
    assert chosen(parcels, "parcels", key="a*") == [one, two] == chosen(parcels, "parcels", state="failed")
    assert chosen(parcels, "parcels", key="*") == [one, two, three]
    assert chosen(parcels, "parcels", unless=("failed", "later")) == [one, two]
    assert chosen(parcels, "parcels", unless=("failed", "later"), state="open") == [three]
    assert chosen(parcels, "parcels", unless=("failed", "later"), step="match") == []
    refused: Sequence[tuple[str, dict[str, Any], str]] = (
        (
            "parcels/a/1",
            {"state": "failed"},
            "give an item, or options that choose items such as --state, and not both",
        ),
        ("parcels", {}, "give PIPELINE/KEY for an item, an option such as --state failed, or --key '*' for all items"),
        ("parcels/", {}, "give PIPELINE/KEY"),
        ("parcels", {"step": "fetch"}, "--step is 'fetch': give --state or --status with it: all items have the step"),
        ("parcels/nope", {}, "parcels has no such item"),
    )
    for target, given, said in refused:
        with pytest.raises(BadSetting) as raised:
            chosen(parcels, target, **given)
        assert said in str(raised.value)


def test_it_is_asked_before_items_are_changed(parcels: House, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a person at a terminal, or a script. What must hold: a person is told how many they are, and asked; a script
    # must say yes beforehand, and nothing is done before that.
    items_house.add(parcels, "a", "b")
    with pytest.raises(BadSetting, match="--yes is missing: 2 items of parcels would be deleted: give --yes if that"):
        chosen(parcels, "parcels", yes=False, key="*")
    assert chosen(parcels, "parcels", yes=False, key="nope*") == []
    asked: list[str] = []

    def confirm(text: str, **options: Any) -> None:
        asked.append(text)
        raise click.Abort

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "confirm", confirm)
    with pytest.raises(click.Abort):
        chosen(parcels, "parcels", yes=False, key="*")
    assert asked == ["2 items of parcels would be deleted. Go on?"]


@pytest.mark.slow
def test_a_question_stands_in_the_terminal(parcels: House) -> None:
    items_house.add(parcels, "a", "b")
    text, code = in_terminal(
        parcels.in_processes, "drop", "parcels", "--key", "*", "--note", "x", interrupt_after="Go on? [y/N]"
    )
    assert "2 items of parcels would be deleted. Go on?" in text and code != 0
    assert len(parcels("items", "parcels").rows) == 2
