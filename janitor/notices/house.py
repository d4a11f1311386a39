"""The notices of the house: what happened to the state database as a whole. They hold for a day, and concern no job."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from janitor.engine import restoring
from janitor.notices.facts import Condition
from janitor.state.identity import Identity

HOUSE = "janitor"
"""What stands in the place of a job."""
MADE, RESTORED = "state_made", "state_restored"
RULES = (MADE, RESTORED)
FOR = timedelta(days=1)
OVER = "it was told for a day"


def conditions(found: Identity | None, where: str, now: datetime) -> Mapping[str, Condition]:
    """The conditions that hold for the state database at `where`, by rule."""
    if found is None:
        return {}
    texts = {
        MADE: (
            found.made_at,
            f"there was no state database at {where}, so a new one was made, and every job began anew. If there should "
            "be one, correct STATE_DATABASE_URL, or mount its volume",
        ),
        RESTORED: (found.restored_at, restoring.sentence(found)),
    }
    return {
        rule: Condition(rule, HOUSE, text) for rule, (at, text) in texts.items() if at is not None and now - at < FOR
    }
