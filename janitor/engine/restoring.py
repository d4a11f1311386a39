"""Restoring: what must be put right once a backup of the state database was restored.

    the backup knows              lost                             the daemon is down      now
    ──●────●────●──────┊────●────●────●────●────●────●────●────────┊──○────○────○──────────┊──>
                       lost_since                                  lost_until

1. What ran in the lost time ran, although nothing is known of it: its slots are not missed. The clock accounts for
   slots from `lost_until` on.
2. Ids of the lost runs are in logs, messages and letters. New runs get ids above them.
3. Runs that went on at the backup have ended: how is not known. They are closed, and nobody is told.
4. Whoever held a lease at the backup, or took it in the lost time, may write nothing more: all tokens leap.
5. Notices that waited to be told at the backup were told. Runs that had ended then were looked at.
6. Cursors and ledgers are those of the backup: rows are read again, messages are published again, with the same ids.
   Each run that goes on from such a cursor says so in its log: see `memory/cursor.py`.

A restore is noticed by a memo (`memos.py`), or told by a person. All of this is one transaction, and happens once.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select, update

from janitor.engine.memos import Memo
from janitor.runs import Outcome
from janitor.state import actions, deliveries, identity, leases, recent, run_records, watched
from janitor.state.identity import Identity
from janitor.state.tables import jobs
from janitor.state.tables import leases as lease_table
from janitor.state.tables import notices, runs
from janitor.state.watched import Watched

RESTORED = "restored"
"""The action, as the audit has it."""
UNKNOWN = "how it ended is not known: the state database was restored"
"""How the reason of a run begins that went on at the backup."""
MARGIN = 10_000
"""So many runs may have begun after the last memo."""
TOKENS = 1_000_000
"""So many times a lease may have been taken in the lost time."""
DAY = timedelta(days=1)
INSTANT = "%Y-%m-%d %H:%M:%S UTC"


def note(connection: Connection, found: Identity, memo: Memo | None, actor: str, now: datetime) -> Identity | None:
    """Put right what a restore has made wrong, in the caller's transaction; None if somebody else just did it.

    `memo` is what was known last, None if nothing is. `actor` told or noticed it. No daemon may lead meanwhile.
    """
    lost_until = now if memo is None else max(memo.at, found.beat_at)
    noted = identity.restored(connection, found, found.age if memo is None else memo.age, now, lost_until)
    if noted is None:
        return None
    floor = _floor(connection, found, memo, now)
    _leap_over(connection, floor, now)
    _close_runs(connection, found, now)
    tokens = {"holder": None, "expires_at": leases.NEVER, "token": lease_table.c.token + TOKENS}
    connection.execute(update(lease_table).values(tokens))
    connection.execute(update(jobs).where(jobs.c.enabled_at < lost_until).values(enabled_at=lost_until))
    if watched.load(connection) is not None:
        watched.save(connection, Watched(recent.newest_id(connection)), now)
    deliveries.forget_waiting(connection)
    connection.execute(update(notices).where(notices.c.ended_at.is_(None)).values(told_at=now))
    actions.record(connection, actor, RESTORED, None, sentence(noted), now)
    return noted


def sentence(noted: Identity) -> str:
    """What a restore means, in words; empty if the state database was never restored."""
    if noted.lost_since is None or noted.lost_until is None:
        return ""
    return (
        f"the state database was restored from a backup: what was recorded between {noted.lost_since:{INSTANT}} and "
        f"{noted.lost_until:{INSTANT}} is lost. Slots of that time do not count as missed. What was published then is "
        "published again, with the same message ids. Pauses of that time are gone"
    )


def _floor(connection: Connection, found: Identity, memo: Memo | None, now: datetime) -> int:
    """An id that no lost run had."""
    newest = recent.newest_id(connection)
    if memo is not None:
        return _rounded(max(newest, memo.newest_run) + MARGIN)
    first = select(func.min(runs.c.id)).where(runs.c.started_at >= found.beat_at - DAY)
    a_day = newest - (connection.execute(first).scalar() or newest)
    days = max(0.0, (now - found.beat_at) / DAY)
    return _rounded(newest + MARGIN + int(2 * a_day * days))


def _rounded(id: int) -> int:
    return -(-id // MARGIN) * MARGIN


def _leap_over(connection: Connection, floor: int, now: datetime) -> None:
    """Let new runs get ids above `floor`: both kinds of database count on from the highest id that was ever there."""
    row = {
        "id": floor,
        "job": "",
        "origin": run_records.BY_HAND,
        "slots": 0,
        "outcome": Outcome.SKIPPED.value,
        "started_at": now,
        "attempts": 0,
        "dry_run": True,
        "holder": "",
    }
    connection.execute(insert(runs).values(row))
    connection.execute(delete(runs).where(runs.c.id == floor))


def _close_runs(connection: Connection, found: Identity, now: datetime) -> None:
    reason = f"{UNKNOWN} from a backup of {found.beat_at:{INSTANT}}"
    run_records.interrupt(connection, set(), now, lambda holder: reason)
