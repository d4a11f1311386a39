"""Actions are remembered, with who did them."""

from janitor.state import State, actions
from tests.state.history import MINUTE, NOW


def test_actions_are_remembered(state: State) -> None:
    with state.begin() as connection:
        actions.record(connection, "me", "pause", "a", "", NOW)
        actions.record(connection, "you", "cursor", None, "from 3 to 4", NOW + MINUTE)
        found = [(row.actor, row.action, row.job, row.at) for row in actions.listing(connection)]
        assert found == [("you", "cursor", None, NOW + MINUTE), ("me", "pause", "a", NOW)]
        assert [row.action for row in actions.listing(connection, "a")] == ["pause"]
