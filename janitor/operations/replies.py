"""What people do to replies: those that wait for another try, or were given up, are sent now."""

from datetime import datetime

from janitor.items import waking
from janitor.items.adding import plan_of
from janitor.operations import items
from janitor.state import State, actions, item_replies
from janitor.state.item_changes import First

TOGETHER = 500


def send_again(state: State, pipeline: str, key: str | None, actor: str, now: datetime) -> int:
    """Let replies be sent now that wait for another try, or were given up; how many.

    They are those of one item, or all of the pipeline's if `key` is None.

    Raises:
        BadSetting: there is no such pipeline, or no such item.
    """
    item_id = None if key is None else items.by_key(state, pipeline, key).ids[0]
    said = pipeline if key is None else key
    done = 0
    while True:
        with state.begin() as connection:
            plan = plan_of(connection, pipeline)
            number = item_replies.try_now(connection, plan, now, TOGETHER, item_id)
            if number and not done:
                actions.record(connection, actor, actions.RETRIED, pipeline, f"replies of {said}", now)
        done += number
        if number < TOGETHER:
            break
    waking.wake([First(plan.lane(way), 0, now) for way in plan.replies] if done else [])
    return done
