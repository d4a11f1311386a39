"""What a task remembers from run to run: cursors, a ledger, a quarantine; and work that one run at a time may do.

    cursor       how far the task has read a feed             cursor, save_cursor
    ledger       what it has published, by key                published, last_published, enter, forget_published
    quarantine   rows that cannot be delivered, and why       Quarantine, quarantined, checked_longest_ago, looked_at
    refusals     what a broker did not take, and how often    Refusals, NotTaken, is_due, is_for_quarantine
    lease        one run at a time goes on inside             exclusively
    turns        so many calls of a service in a minute       wait_for_turn
    backup       a copy of all of this                        back_up

All is written only while the run holds its leases: a run whose job another daemon has taken over writes nothing. In a
dry run everything can be read, and nothing is written.
"""

from janitor.memory.backup import back_up
from janitor.memory.cursor import cursor, save_cursor
from janitor.memory.exclusive import exclusively
from janitor.memory.ledger import enter, forget_published, last_published, published
from janitor.memory.quarantine import Quarantine, checked_longest_ago, looked_at, quarantined
from janitor.memory.refusals import NotTaken, Refusals, is_due, is_for_quarantine
from janitor.memory.turns import wait_for_turn
from janitor.state.ledger import Entry
from janitor.state.quarantine import Quarantined
from janitor.state.refusals import Refusal

__all__ = [
    "Entry",
    "NotTaken",
    "Quarantine",
    "Quarantined",
    "Refusal",
    "Refusals",
    "back_up",
    "checked_longest_ago",
    "cursor",
    "enter",
    "exclusively",
    "forget_published",
    "is_due",
    "is_for_quarantine",
    "last_published",
    "looked_at",
    "published",
    "quarantined",
    "save_cursor",
    "wait_for_turn",
]
