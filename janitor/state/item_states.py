"""Where an item is at a step, as a number that an index can hold, and what follows from it.

    WAITING      its needs are not met yet
    READY        it can be taken
    LATER        it can be taken after a moment: a try failed, and the next comes then
    PROCESSING   a run has taken it
    DONE         it has ended with a status that is ok, or a warning
    FAILED       it has ended with a status that is an error
    BLOCKED      a step that it needs has ended with an error, or is blocked itself
    LEFT_OUT     a step that it needs has ended well, but with another status than it needs

An item has one of OPEN, DONE and FAILED.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from janitor.state.item_plans import Plan

WAITING, READY, LATER, PROCESSING, DONE, FAILED, BLOCKED, LEFT_OUT = range(8)
OPEN = WAITING
"""The state of an item that has not ended."""
NAMES = ("waiting", "ready", "later", "processing", "done", "failed", "blocked", "left out")
GOING_ON = (WAITING, READY, LATER, PROCESSING)
NOT_BEGUN = (WAITING, READY, BLOCKED, LEFT_OUT)
"""The states that follow from the needs of a step alone."""
NOT_PROCESSED, IN_PROCESS, PROCESSED, FAILURE, TOO_LONG, EXPIRED = (
    "not processed",
    "processing",
    "processed",
    "failed",
    "time limit exceeded",
    "expired",
)
BUILT_IN: Mapping[str, str] = {PROCESSED: "ok", FAILURE: "error", TOO_LONG: "error", EXPIRED: "error"}
"""The statuses with which a step can end in every pipeline, each with its kind."""
KINDS = ("ok", "warning", "error")


@dataclass(frozen=True)
class Standing:
    """Where an item is at one step."""

    state: int
    status: str


def state_of(kind: str) -> int:
    """The state of a step that has ended with a status of a kind."""
    return FAILED if kind == "error" else DONE


def settled(plan: Plan, known: Mapping[str, Standing]) -> dict[str, int]:
    """The state of each step of an item, after the needs of those that have not begun were looked at.

    `known` has the item's steps; a step that it lacks has not begun.
    """
    found: dict[str, int] = {}
    for step in plan.steps:
        own = known.get(step.name)
        if own is not None and own.state not in NOT_BEGUN:
            found[step.name] = own.state
        else:
            found[step.name] = _from_needs(step.needs, found, known)
    return found


def _from_needs(needs: Mapping[str, str], found: Mapping[str, int], known: Mapping[str, Standing]) -> int:
    states = [_of_need(wanted, found.get(name, WAITING), known.get(name)) for name, wanted in needs.items()]
    for state in (BLOCKED, LEFT_OUT, WAITING):
        if state in states:
            return state
    return READY


def _of_need(wanted: str, state: int, parent: Standing | None) -> int:
    """What one need means for a step: READY if it is met."""
    if state in (DONE, FAILED) and parent is not None:
        if parent.status == wanted:
            return READY
        return BLOCKED if state == FAILED else LEFT_OUT
    return state if state in (BLOCKED, LEFT_OUT) else WAITING


def of_item(states: Sequence[int]) -> int:
    """The state of an item whose steps have these states."""
    if any(state in GOING_ON for state in states):
        return OPEN
    return FAILED if any(state in (FAILED, BLOCKED) for state in states) else DONE


def name_of_item(state: int) -> str:
    """The state of an item in words."""
    return "open" if state == OPEN else NAMES[state]
