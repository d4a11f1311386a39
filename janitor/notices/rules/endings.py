"""Why a condition ended, in a sentence."""

from collections.abc import Callable, Mapping

from janitor.notices.facts import Facts
from janitor.notices.rules.dead_letters_growing import told
from janitor.notices.times import duration_text, instant_text
from janitor.runs import Outcome


def why_over(rule: str, facts: Facts) -> str:
    """Say why a condition of a rule holds no longer."""
    if rule == "quarantine_growing":
        return f"{facts.quarantined} rows that came into quarantine within a day are still there"
    if rule in OF_ITEMS:
        return OF_ITEMS[rule](facts)
    if rule == "overdue" and (text := _sign_of_life(facts)):
        return text
    last = facts.history.last_run
    if facts.works is not None and rule in ("failed", "interrupted"):
        return f"run {facts.works.id} goes on since {instant_text(facts.works.started_at)}"
    if last is None or last.outcome is not Outcome.SUCCEEDED:
        return "that is so no longer"
    text = f"run {last.id} succeeded at {instant_text(last.ended_at)}, after {duration_text(last.seconds)}"
    return f"{text}, with {last.rows} rows" if rule == "suspiciously_empty" and last.rows else text


def _sign_of_life(facts: Facts) -> str:
    """Name a sign of life that came after every success; empty if there is none."""
    alive_at, successes = facts.alive_at, facts.history.successes
    if alive_at is None or any(success.ended_at >= alive_at for success in successes):
        return ""
    return f"it was resumed, or a run of it found nothing to do, at {instant_text(alive_at)}"


def _of_step(facts: Facts) -> str:
    at = facts.items.streak.succeeded_at
    if facts.items.streak.failures or at is None:
        return "most of the items at which it failed are gone, or are to be tried again"
    return f"it ended well for an item at {instant_text(at)}"


def _of_waiting(facts: Facts) -> str:
    if facts.items.waiting_since is None:
        return "nothing waits any more that could be taken"
    return f"what waits for longest now could be taken since {instant_text(facts.items.waiting_since)}"


def _of_letters(facts: Facts) -> str:
    letters = facts.items.letters
    return "no dead letter that came within a day is still there" if letters is None else told(letters.number)


def _of_replies(facts: Facts) -> str:
    return "no reply fails any more, and none was given up within a day"


OF_ITEMS: Mapping[str, Callable[[Facts], str]] = {
    "step_fails": _of_step,
    "items_wait": _of_waiting,
    "dead_letters_growing": _of_letters,
    "reply_undelivered": _of_replies,
}
"""Why the condition of a rule of items holds no longer."""
