"""Why a condition ended, in a sentence."""

from janitor.notices.facts import Facts
from janitor.notices.times import duration_text, instant_text
from janitor.runs import Outcome


def why_over(rule: str, facts: Facts) -> str:
    """Say why a condition of a rule holds no longer."""
    if rule == "quarantine_growing":
        return f"{facts.quarantined} rows that came into quarantine within a day are still there"
    if rule == "overdue" and (text := _sign_of_life(facts)):
        return text
    last = facts.history.last_run
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
