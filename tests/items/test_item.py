"""An item as its step sees it."""

import json
import pickle
from datetime import date
from decimal import Decimal

import pytest

from janitor.errors import JanitorError
from janitor.items import Item, current_item
from janitor.items.item import Results, secrets_in
from janitor.jobs.result_texts import encode
from janitor.state.item_claims import Claimed
from tests.state.parcels import NOW, SECOND

CLAIMED = Claimed(
    id=7,
    key="k",
    args='{"n": 1}',
    priority=2,
    order_at=NOW,
    added_at=NOW - SECOND,
    expires_at=NOW + SECOND,
    envelope='[{"to": "A"}, {"to": "B"}]',
    secrets='{"token": "sesame-17", "deep": {"list": ["vault-99", 7, null]}}',
    times=2,
    tries=2,
    deaths=1,
    claim=3,
    results={"a": encode({"day": date(2027, 1, 2), "price": Decimal("1.10")}), "b": "1"},
)


def test_a_claim_becomes_an_item() -> None:
    item = Item.of("p", "s", CLAIMED)
    assert (item.pipeline, item.step, item.key, item.id, item.args) == ("p", "s", "k", 7, {"n": 1})
    assert (item.priority, item.order_at, item.added_at, item.expires_at) == (2, NOW, NOW - SECOND, NOW + SECOND)
    assert (item.attempt, item.times, item.envelope, item.result) == (3, 2, {"to": "A"}, None)
    assert item.secrets["token"] == "sesame-17" and "sesame" not in repr(item)
    plain = Item.of("p", "s", Claimed(**{**CLAIMED._asdict(), "envelope": None, "secrets": None, "results": {}}))
    assert (plain.envelope, plain.secrets, dict(plain.results)) == ({}, {}, {})


def test_results_are_read_as_they_are_asked_for() -> None:
    # Given one result that is no JSON: only whoever asks for it sees that.
    results = Results({**CLAIMED.results, "spoiled": "{"})
    assert list(results) == ["a", "b", "spoiled"] and len(results) == 3 and "a" in results
    assert results["a"] == {"day": date(2027, 1, 2), "price": Decimal("1.10")}
    assert results["a"] is results["a"] and results["b"] == 1
    with pytest.raises(json.JSONDecodeError):
        results["spoiled"]
    with pytest.raises(KeyError):
        results["c"]
    assert results.get("c") is None


def test_an_item_can_be_sent_to_another_process() -> None:
    item = Item.of("p", "s", CLAIMED)
    assert item.results["b"] == 1
    sent = pickle.loads(pickle.dumps(item))
    assert vars(sent) | {"results": dict(sent.results)} == vars(item) | {"results": dict(item.results)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CLAIMED.secrets, ["sesame-17", "vault-99"]),
        (None, []),
        ("{spoiled sesame", ["{spoiled sesame"]),
        ('{"n": 7, "none": null}', []),
    ],
)
def test_all_texts_among_its_secrets_are_secret(text: str | None, found: list[str]) -> None:
    assert sorted(secrets_in(Claimed(**{**CLAIMED._asdict(), "secrets": text}))) == found


def test_code_outside_a_step_works_on_no_item() -> None:
    with pytest.raises(JanitorError, match="^this code works on no item: call it from a step of a pipeline$"):
        current_item()
