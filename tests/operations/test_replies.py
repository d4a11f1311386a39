"""Replies that a person sends again: many in a few transactions, on record once, and the daemon is woken."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from janitor.errors import BadSetting
from janitor.items import waking
from janitor.operations import replies
from janitor.state import State, actions, item_plans, item_replies
from janitor.state.item_changes import First
from janitor.state.item_replies import DUE, Due
from tests.state.parcels import NOW
from tests.state.pieces import check_counts, plan_of, replies_of

PLAN = plan_of({"only": {}}, "mail")


@pytest.fixture
def state(state_url: URL) -> Iterator[State]:
    """An empty state database."""
    made = State(state_url)
    yield made
    made.close()


def test_all_that_were_given_up_are_sent_again(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "TOGETHER", 3)
    with state.begin() as connection:
        item_plans.save(connection, PLAN)
        item_replies.add(connection, PLAN, [Due(None, str(number), None) for number in range(7)], NOW)
    with state.begin() as connection:
        item_replies.give_up(connection, "p", [row.id for row in replies_of(state)], NOW, "nobody is there")
    heard: list[First] = []
    with waking.listening(heard.extend):
        assert replies.send_again(state, "p", None, "eva", NOW) == 7
        assert [first.lane for first in heard] == ["p.mail"]
        assert replies.send_again(state, "p", None, "eva", NOW) == 0
    assert len(heard) == 1 and {row.state for row in replies_of(state)} == {DUE}
    check_counts(state)
    with state.read() as connection:
        done = [(row.actor, row.action, row.job, row.detail) for row in actions.listing(connection)]
    assert done == [("eva", "retried", "p", "replies of p")]
    with pytest.raises(BadSetting, match="there is no such pipeline"):
        replies.send_again(state, "nope", None, "eva", NOW)
