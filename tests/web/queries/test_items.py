"""Items: a page of those that are wanted, with numbers that are right; and one with all that is known of it."""

import json
from typing import Any

import pytest
from sqlalchemy import update

from janitor.errors import BadSetting
from janitor.state import State, item_acts, item_replies
from janitor.state.item_search import Wanted
from janitor.state.item_states import LATER
from janitor.state.item_tables import items
from janitor.web.queries import models
from janitor.web.queries.items import how_many, item_list, item_page
from tests.small_engine import remember_run
from tests.state.parcels import NOW, PLAN, RUN, SECOND, add, end, take
from tests.web.queries.past import ask

SECRET = "s3cret-of-the-sender"


def fill(state: State) -> dict[str, int]:
    """Six items: done with a warning, failed, at work, to be tried again, flagged, and one that only waits."""
    keys = ["a1", "a2", "b1", "b2", "c1", "c2"]
    ids = dict(zip(keys, add(state, *keys, secrets=json.dumps({"token": SECRET})), strict=True))
    end(state, "fetch", ids["a1"], ids["a2"], ids["b1"], at=NOW + SECOND)
    end(state, "match", ids["a1"], at=NOW + 2 * SECOND)
    end(state, "match", ids["a2"], status="no host", at=NOW + 3 * SECOND, reason="none is near", traceback="Trace")
    end(state, "count", ids["a1"], status="few filters", at=NOW + 4 * SECOND, result='{"of": {"$date": "2026-03-01"}}')
    take(state, "match", ids["b1"], at=NOW + 5 * SECOND)
    end(state, "fetch", ids["b2"], status="failed", state=LATER, until=NOW + 60 * SECOND, at=NOW + 6 * SECOND)
    with state.begin() as connection:
        item_acts.flag(connection, ids["c1"], "odd", "anna", NOW)
    return ids


def listed(state: State, limit: int = 50, after: int | None = None, /, **wanted: Any) -> models.ItemList:
    """A page of items."""
    found: models.ItemList = ask(state, item_list, PLAN, Wanted(PLAN.pipeline, **wanted), limit, after)
    return found


def page_of(state: State, key: str) -> models.ItemPage | None:
    """The page of an item, with its results as they are kept."""
    found: models.ItemPage | None = ask(state, item_page, PLAN, key, str, json.loads)
    return found


def test_an_item_has_a_badge_for_each_step_in_the_order_of_the_plan(state: State) -> None:
    fill(state)
    lines = {one.key: one for one in listed(state).items}
    assert list(lines) == ["c2", "c1", "b2", "b1", "a2", "a1"]
    told = {key: [(one.step, one.words, one.look) for one in line.steps] for key, line in lines.items()}
    done = ("fetch", "processed", "ok")
    assert told["a1"] == [done, ("match", "processed", "ok"), ("count", "few filters", "warning")]
    assert told["a2"] == [done, ("match", "no host", "error"), ("count", "blocked", "blocked")]
    assert told["b1"][1] == ("match", "processing", "processing")
    assert told["b2"][:2] == [
        ("fetch", "waiting for another try", "waiting"),
        ("match", "waiting for other steps", "waiting"),
    ]
    assert [(lines[key].state, round(lines[key].progress.share, 2)) for key in ("a1", "a2", "c2")] == [
        ("done", 1.0),
        ("failed", 0.33),
        ("open", 0.0),
    ]
    assert {key: line.flag for key, line in lines.items() if line.flag} == {"c1": "odd"}


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ({}, 6),
        ({"state": "open"}, 4),
        ({"state": "failed"}, 1),
        ({"step": "fetch"}, 6),
        ({"step": "fetch", "state": "done"}, 3),
        ({"step": "fetch", "state": "open"}, 3),
        ({"step": "match", "status": "no host"}, 1),
        ({"step": "match", "status": "no host", "state": "done"}, 0),
        ({"step": "match", "status": "long gone"}, 0),
        ({"status": "processed"}, 3),
        ({"state": "blocked"}, 1),
        ({"key": "b*"}, 2),
        ({"key": "b2", "state": "open"}, 1),
        ({"flagged": True}, 1),
    ],
)
def test_the_number_is_that_of_the_items_on_all_pages(state: State, wanted: dict[str, Any], keys: int) -> None:
    # Given items in every state. What happens: each filter is asked for, two items on a page.
    # What must hold: as many items come as the first page has told, each once.
    fill(state)
    pages = [told := listed(state, 2, **wanted)]
    while (after := pages[-1].next_after) is not None:
        pages.append(listed(state, 2, after, **wanted))
    seen = [one.key for page in pages for one in page.items]
    assert (told.count, told.is_counted_out, len(seen), len(set(seen))) == (keys, True, keys, keys)


def test_what_no_count_tells_is_counted_so_far_and_no_further(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(state)
    monkeypatch.setattr("janitor.web.queries.items.MOST_COUNTED", 1)
    assert ask(state, how_many, PLAN, Wanted(PLAN.pipeline, key="b*")) == (1, False)
    assert ask(state, how_many, PLAN, Wanted(PLAN.pipeline, key="b1")) == (1, True)
    assert ask(state, how_many, PLAN, Wanted(PLAN.pipeline, state="open")) == (4, True)


def test_a_state_or_a_key_that_cannot_be_is_refused(state: State) -> None:
    fill(state)
    for wanted in ({"state": "odd"}, {"state": "odd", "step": "fetch"}, {"key": "a*b"}):
        with pytest.raises(BadSetting):
            listed(state, **wanted)


def test_one_item_has_its_attempts_results_replies_and_flag(state: State) -> None:
    ids = fill(state)
    remember_run(state, "parcels.match", NOW, id=RUN)
    with state.begin() as connection:
        item_acts.resolve(connection, ids["c1"], "mended", "berta", NOW + SECOND)
        item_replies.add(connection, PLAN, [item_replies.Due(ids["a2"], "a2", None)], NOW)
    page = page_of(state, "a2")
    assert page is not None
    assert [(one.step, one.status, one.kind, one.run_is_kept) for one in page.attempts] == [
        ("match", "no host", "error", True),
        ("fetch", "processed", "ok", True),
    ]
    assert (page.attempts[0].reason, page.attempts[0].traceback, page.attempts[0].seconds) == (
        "none is near",
        "Trace",
        1.0,
    )
    # Its end has written a reply already.
    assert [(one.reply, one.state, one.tries) for one in page.replies] == [("mail", "waiting", 0)] * 2
    assert (page.args, page.results, page.flag, page.times) == ({}, {}, None, 1)
    assert page.needs == {"fetch": {}, "match": {"fetch": "processed"}, "count": {"match": "processed"}}
    done, flagged = page_of(state, "a1"), page_of(state, "c1")
    assert done and done.results == {"count": '{"of": {"$date": "2026-03-01"}}'}
    assert flagged and flagged.flag and (flagged.flag.resolution, flagged.flag.resolved_by) == ("mended", "berta")
    assert flagged.item.flag is None and page_of(state, "A2") is None


def test_no_secret_is_read(state: State) -> None:
    ids = fill(state)
    with state.begin() as connection:
        connection.execute(update(items).where(items.c.id == ids["c2"]).values(envelope=f'[{{"token": "{SECRET}"}}]'))
    pages = [page_of(state, key) for key in ids]
    assert all(pages) and SECRET not in str(pages) and SECRET not in str(listed(state))


def test_a_step_that_the_plan_has_no_more_comes_last(state: State) -> None:
    fill(state)
    plan = type(PLAN)(PLAN.pipeline, PLAN.steps[1:], PLAN.kinds)
    page = ask(state, item_page, plan, "a1", str, json.loads)
    assert [one.step for one in page.item.steps] == ["match", "count", "fetch"]
