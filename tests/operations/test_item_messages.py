"""What people send into pipelines: items by hand, messages by an inbox, and dead letters once more."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from janitor.errors import BadSetting, Rejected
from janitor.items import waking
from janitor.items.pipeline import Pipeline
from janitor.items.pipelines import pipelines_of
from janitor.operations import item_messages as messages
from janitor.settings import Settings
from janitor.state import State, actions, item_counts, item_letters, item_plans, item_search
from janitor.state.item_changes import First
from janitor.state.item_search import Wanted
from tests.items_house import build
from tests.small_engine import DATABASES, empty_state, now, text_of
from tests.state.parcels import NOW


@pytest.fixture(params=DATABASES)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    made = State(empty_state(request, tmp_path))
    with made.begin() as connection:
        item_plans.save(connection, parcels(made).plan)
    yield made
    made.close()


def settings_of(state: State) -> Settings:
    """The settings of the house."""
    return Settings.load({"STATE_DATABASE_URL": text_of(state.url), "ITEMS_KEY": "sesame"}, dotenv=None)


def parcels(state: State) -> Pipeline:
    """The pipeline of the house, with its inbox."""
    return pipelines_of(build(settings_of(state)).jobs)["parcels"]


def done(state: State) -> list[tuple[str, str, str | None, str]]:
    with state.read() as connection:
        found = actions.listing(connection)
    return [(row.actor, row.action, row.job, row.detail) for row in reversed(found)]


def there(state: State) -> dict[str, object]:
    """The arguments of each item, by key."""
    with state.read() as connection:
        keys = [row.key for row in item_search.find(connection, Wanted("parcels"))]
        rows = [item_search.one(connection, "parcels", key) for key in reversed(keys)]
    return {row.key: json.loads(row.args) for row in rows if row is not None}


def letters(state: State) -> list[tuple[int, str, str]]:
    """The dead letters: id, reason, message."""
    with state.read() as connection:
        return [(row.id, row.reason, row.message) for row in item_letters.find(connection, "parcels")]


def test_items_are_pushed_and_what_is_none_is_refused(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given more messages than go into one transaction, of which some are no items, and one comes twice.
    # What happens: they are pushed. What must hold: all others are items, each refusal has its number and reason, no
    # dead letter is kept, and whoever waits is told.
    monkeypatch.setattr(messages, "TOGETHER", 3)
    bodies = [
        b'{"key": "a", "weight": 3}',
        b"{",
        b'{"key": "b"}',
        b'{"key": 7}',
        b'{"weight": 1}',
        b'{"key": "a"}',
        b"[]",
    ]
    woken: list[First] = []
    with waking.listening(woken.extend):
        pushed = messages.push(state, "parcels", bodies, "anna", NOW, parcels(state))
    assert there(state) == {"a": {"key": "a", "weight": 3}, "b": {"key": "b"}, "7": {"key": 7}}
    assert (pushed.new, pushed.known) == (3, 1)
    assert [number for number, _ in pushed.refused] == [2, 5, 7]
    assert pushed.refused[0][1].startswith("it is no JSON in UTF-8: ")
    assert [reason for _, reason in pushed.refused[1:]] == [
        "it has no key: give the item's key there, a text or a whole number",
        "it is a list, and an object is wanted",
    ]
    assert [first.lane for first in woken] == ["parcels.fetch"] * 2 and letters(state) == []
    assert done(state) == [("anna", "pushed", "parcels", "2 items and more, the first is a")]


def test_one_pushed_item_is_on_record_by_its_key(state: State) -> None:
    assert messages.push(state, "parcels", [b'{"key": "a/b"}'], "anna", NOW).new == 1
    assert messages.push(state, "parcels", [b"{}"], "anna", NOW).new == 0
    assert done(state) == [("anna", "pushed", "parcels", "a/b")]
    with pytest.raises(BadSetting, match="pipeline is 'nope': there is no such pipeline; the pipelines are parcels"):
        messages.push(state, "nope", [b'{"key": "a"}'], "anna", NOW)


def test_an_inbox_reads_what_is_pushed_into_it(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "TOGETHER", 2)
    bodies = [
        b'{"id": "a", "token": "s3cret", "body": {"weight": 3}}',
        b'{"id": "b", "token": "s3cret", "body": 1}',
        b'{"id": "c", "body": {}}',
    ]
    pushed = messages.push_into(state, parcels(state), "desk", bodies, "anna", now(), settings_of(state))
    assert there(state) == {"a": {"weight": 3}, "c": {}} and pushed.new == 2
    assert pushed.refused == [(2, "its body is a number, and an object is wanted")]
    [(_, reason, message)] = letters(state)
    assert reason == "its body is a number, and an object is wanted" and "s3cret" not in message
    assert done(state) == [("anna", "pushed", "parcels", "2 messages and more into desk")]
    with pytest.raises(BadSetting, match="--inbox is 'nope': parcels has no such inbox; its inboxes are desk"):
        messages.push_into(state, parcels(state), "nope", bodies, "anna", now(), settings_of(state))


def put(state: State, message: str, inbox: str = "desk") -> int:
    """Keep a dead letter; its id."""
    with state.begin() as connection:
        item_letters.add(connection, "parcels", inbox, "it did not fit", message, len(message), None, NOW)
    return letters(state)[0][0]


def test_a_dead_letter_becomes_an_item_once_it_fits(state: State) -> None:
    letter = put(state, '{"id": "a", "body": {"weight": 2}}')
    assert messages.again(state, parcels(state), letter, "anna", now()).reason is None
    assert there(state) == {"a": {"weight": 2}} and letters(state) == []
    assert done(state) == [("anna", "pushed", "parcels", f"dead letter {letter}")]
    with pytest.raises(BadSetting, match=f"--again is '{letter}': parcels has no such dead letter"):
        messages.again(state, parcels(state), letter, "anna", now())


def test_a_dead_letter_that_still_does_not_fit_is_one_again(state: State) -> None:
    letter = put(state, '{"id": "a", "body": 5}')
    verdict = messages.again(state, parcels(state), letter, "anna", now())
    assert verdict.reason == "its body is a number, and an object is wanted"
    [(newer, reason, message)] = letters(state)
    assert newer > letter and reason == verdict.reason and json.loads(message) == {"id": "a", "body": 5}
    assert there(state) == {}
    assert done(state) == [("anna", "pushed", "parcels", f"dead letter {letter}: it is one again")]


def test_a_dead_letter_that_is_not_whole_is_not_taken(state: State) -> None:
    letter = put(state, '{"id": "a", "token": "***"}')
    with pytest.raises(Rejected, match=f"of the dead letter {letter} a part was cut, or is secret: let whoever sent"):
        messages.again(state, parcels(state), letter, "anna", now())
    gone = put(state, '{"id": "a", "body": {}}', "old desk")
    with pytest.raises(BadSetting, match="parcels has no such inbox; its inboxes are desk"):
        messages.again(state, parcels(state), gone, "anna", now())
    assert len(letters(state)) == 2 and there(state) == {} and done(state) == []


def test_dead_letters_are_dropped_all_or_none(state: State) -> None:
    first, second = put(state, "x"), put(state, "y")
    with pytest.raises(BadSetting, match="--drop is '1000000000': there is no such dead letter"):
        messages.drop_letters(state, [first, 10**9], "anna", NOW)
    assert len(letters(state)) == 2
    assert messages.drop_letters(state, [first, second], "anna", NOW) == 2
    assert messages.drop_letters(state, [first], "anna", NOW) == 0 and letters(state) == []
    assert done(state) == [("anna", "dropped", "parcels", f"dead letters {first}, {second}")]
    with state.read() as connection:
        assert [one for one in item_counts.read(connection) if one.step == ":inboxes"] == []
