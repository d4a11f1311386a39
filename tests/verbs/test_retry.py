"""The verbs `retry`, `reprocess`, `reset` and `drop`: what they do to items, and that it is on record."""

import json
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from janitor.state import item_plans, item_replies
from janitor.state.item_replies import DUE, SENT, Due
from janitor.state.item_tables import item_replies as rows
from tests import items_house
from tests.command_line import USER
from tests.items_house import House


def steps(parcels: House) -> dict[str, str]:
    """The steps of each item, in words."""
    return {row["key"]: row["steps"] for row in parcels("items", "parcels").rows}


def acts(parcels: House) -> list[tuple[str, str]]:
    """What was done, the newest first; all of it by whoever types here."""
    rows = parcels("history", "--json").json
    assert {(row["job"], row["actor"]) for row in rows} <= {("parcels", USER)}
    return [(row["action"], row["detail"]) for row in rows]


FAILED = "fetch: processed, match: no host, count: blocked"
AGAIN = "fetch: processed, match: ready, count: waiting"
ANEW = "fetch: ready, match: waiting, count: waiting"


def test_failed_steps_are_tried_again(parcels: House) -> None:
    items_house.add(parcels, "a", "b", "c", fetch="processed", match="no host")
    assert parcels("retry", "parcels/b").out == "parcels/b is tried again\n"
    assert steps(parcels) == {"a": FAILED, "b": AGAIN, "c": FAILED}
    assert parcels("retry", "parcels/b").out == "parcels/b stays as it is\n"
    assert parcels("retry", "parcels", "--step", "fetch", "--yes").out == "0 items of parcels are tried again\n"
    refused = parcels("retry", "parcels")
    said = "janitor: --yes is missing: 2 items of parcels would be tried again: give --yes if that is right\n"
    assert (refused.code, refused.err) == (2, said)
    assert steps(parcels) == {"a": FAILED, "b": AGAIN, "c": FAILED}
    assert parcels("retry", "parcels", "--key", "c*", "--yes").out == "1 item of parcels is tried again\n"
    assert parcels("retry", "parcels", "--yes").out == "1 item of parcels is tried again\n"
    assert steps(parcels) == dict.fromkeys("abc", AGAIN)
    assert [action for action, _ in acts(parcels)] == ["retried"] * 3 and acts(parcels)[-1] == ("retried", "b")


def test_one_step_of_an_item_is_tried_again(parcels: House) -> None:
    items_house.add(parcels, "a", fetch="processed", match="no host")
    assert parcels("retry", "parcels/a", "--step", "fetch").out == "parcels/a stays as it is\n"
    assert parcels("retry", "parcels/a", "--step", "match").out == "parcels/a is tried again\n"
    assert steps(parcels) == {"a": AGAIN} and acts(parcels) == [("retried", "a at match")]
    said = "janitor: STEP is 'nope': parcels has no such step; its steps are fetch, match, count\n"
    assert parcels("retry", "parcels/a", "--step", "nope").err == said
    assert "and not both" in parcels("retry", "parcels/a", "--step", "match", "--state", "failed").err


def test_replies_are_sent_again(parcels: House) -> None:
    # Given an item with a reply that was given up and one that waits for another try, and another item's that was sent.
    one, two = items_house.add(parcels, "a", "b")
    with items_house.state_of(parcels) as (state, plan):
        now, telling = state.clock.now(), replace(plan, replies=("mail",))
        with state.begin() as connection:
            item_plans.save(connection, telling)
            item_replies.add(
                connection, telling, [Due(item, key, None) for item, key in [(one, "a"), (one, "a"), (two, "b")]], now
            )
            given_up, put_off, sent = connection.execute(select(rows.c.id).order_by(rows.c.id)).scalars()
            item_replies.give_up(connection, "parcels", [given_up], now, "nobody is there")
            item_replies.put_off(connection, put_off, now + timedelta(hours=1), "away")
            item_replies.note_sent(connection, "parcels", [sent], now)
    assert parcels("retry", "parcels/b", "--replies").out == "0 replies of parcels/b are sent again\n"
    assert parcels("retry", "parcels/a", "--replies").out == "2 replies of parcels/a are sent again\n"
    assert parcels("retry", "parcels", "--replies").out == "0 replies of parcels are sent again\n"
    with items_house.state_of(parcels) as (state, _), state.read() as connection:
        found = connection.execute(select(rows.c.state, rows.c.due_at <= state.clock.now()).order_by(rows.c.id)).all()
    assert [tuple(row) for row in found] == [(DUE, True), (DUE, True), (SENT, True)]
    assert acts(parcels) == [("retried", "replies of a")]
    said = "janitor: the items is 'parcels': give PIPELINE or PIPELINE/KEY alone with --replies\n"
    refused = parcels("retry", "parcels", "--replies", "--state", "failed")
    assert (refused.code, refused.err) == (2, said)


def test_all_steps_are_done_anew(parcels: House) -> None:
    items_house.add(parcels, "a", "b", fetch="processed", match="no host")
    assert parcels("reprocess", "parcels").code == 2
    assert parcels("reprocess", "parcels/a").out == "parcels/a is done anew, all steps\n"
    assert steps(parcels) == {"a": ANEW, "b": FAILED}
    done = parcels("reprocess", "parcels", "--state", "failed", "--yes")
    assert done.out == "1 item of parcels is done anew, all steps\n"
    assert steps(parcels) == dict.fromkeys("ab", ANEW)
    assert acts(parcels) == [("reprocessed", "1 item: state 'failed'"), ("reprocessed", "a")]


def test_a_step_and_all_behind_it_are_done_anew(parcels: House) -> None:
    items_house.add(parcels, "a", "b", fetch="processed", match="processed", count="few filters")
    assert parcels("reset", "parcels/a", "match").out == "parcels/a is done anew from match on\n"
    assert steps(parcels) == {"a": AGAIN, "b": "fetch: processed, match: processed, count: few filters"}
    said = "janitor: STEP is 'nope': parcels has no such step; its steps are fetch, match, count\n"
    assert parcels("reset", "parcels/a", "nope").err == said
    assert parcels("reset", "parcels", "fetch").code == 2
    done = parcels("reset", "parcels", "fetch", "--step", "count", "--status", "few filters", "--yes")
    assert done.out == "1 item of parcels is done anew from fetch on\n"
    assert steps(parcels) == {"a": AGAIN, "b": ANEW}
    assert acts(parcels) == [
        ("reset", "1 item: step 'count', status 'few filters', from fetch on"),
        ("reset", "a, from match on"),
    ]


def test_items_are_deleted_with_a_note(parcels: House) -> None:
    items_house.add(parcels, "a/b", "c", "d")
    assert parcels("drop", "parcels/c").err == "janitor: --note is missing: say why these items may be deleted\n"
    assert parcels("drop", "parcels/a/b", "--note", "sent twice").out == "parcels/a/b is deleted\n"
    assert list(steps(parcels)) == ["d", "c"]
    assert parcels("drop", "parcels", "--note", "x", "--yes").code == 2
    assert parcels("drop", "parcels", "--key", "*", "--note", "x", "--yes").out == "2 items of parcels are deleted\n"
    assert steps(parcels) == {}
    assert acts(parcels) == [("dropped", "2 items: key '*': x"), ("dropped", "a/b: sent twice")]


def test_what_steps_left_is_cleaned_up_before_an_item_is_deleted(parcels: House) -> None:
    # Given three stars that were looked at, one of which cannot be cleaned up, and one that was not looked at.
    # All are deleted. What is cleaned up goes, what cannot be stays, and that is told.
    for key in ("a", "b", "stuck"):
        (parcels.folder / "star.json").write_text(json.dumps({"key": key}))
        assert parcels("push", "stars", "star.json").code == 0
    assert parcels("run", "stars.look").code == 0
    (parcels.folder / "star.json").write_text(json.dumps({"key": "new"}))
    assert parcels("push", "stars", "star.json").code == 0
    ended = parcels("drop", "stars", "--key", "*", "--note", "x", "--yes")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines()[-1] == (
        "janitor: the cleanup of stars.look failed for stuck, so that the item stays: ValueError: it is stuck; "
        "3 others are deleted"
    )
    assert [row["key"] for row in parcels("items", "stars").rows] == ["stuck"]
    gone = (parcels.folder / "forgotten").read_text().splitlines()
    assert sorted(gone) == ["a look processed", "b look processed"]
    [row] = [row for row in parcels("history", "--json").json if row.get("action") == "dropped"]
    assert (row["job"], row["actor"]) == ("stars", USER)
