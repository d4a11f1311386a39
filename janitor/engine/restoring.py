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
DAY_SECONDS = 86_400
BEATS_A_SECOND = 10
"""No daemon's beat comes more often."""
INSTANT = "%Y-%m-%d %H:%M:%S UTC"


def identity_of_backup(connection: Connection, now: datetime, id: str | None = None) -> Identity:
    """The identity of a state database that may be a backup.

    A backup of an earlier release has none. It gets one as of its newest run, with `id` if that is known.
    """
    newest = run_records.history(connection, limit=1)
    return identity.ensure(connection, newest[0].started_at if newest else now, id=id)


def note(connection: Connection, found: Identity, memo: Memo | None, actor: str, now: datetime) -> Memo | None:
    """Put right what a restore has made wrong, in the caller's transaction; None if somebody else just did it.

    `memo` is what was known last, None if nothing is. `actor` told or noticed it. No daemon may lead meanwhile.

    Returns:
        The memo to leave once that is committed. Its newest run is the id that the next run's is above.
    """
    lost_until = now if memo is None else max(memo.at, found.beat_at)
    if memo is not None and memo.is_ahead_of(found):
        # Something is lost, also if the clock was set back meanwhile.
        lost_until = max(lost_until, found.beat_at + timedelta(microseconds=1))
    noted = identity.restored(connection, found, _newest_age(found, memo, now), now, lost_until)
    if noted is None:
        return None
    floor = _floor(connection, found, memo, now)
    leap_over(connection, floor, now)
    _close_runs(connection, found, now)
    tokens = {"holder": None, "expires_at": leases.NEVER, "token": lease_table.c.token + TOKENS}
    connection.execute(update(lease_table).values(tokens))
    connection.execute(update(jobs).where(jobs.c.enabled_at < lost_until).values(enabled_at=lost_until))
    if watched.load(connection) is not None:
        watched.save(connection, Watched(recent.newest_id(connection)), now)
    deliveries.forget_waiting(connection)
    connection.execute(update(notices).where(notices.c.ended_at.is_(None)).values(told_at=now))
    actions.record(connection, actor, RESTORED, None, sentence(noted), now)
    return Memo.of(noted, floor)


def sentence(noted: Identity) -> str:
    """What a restore means, in words; empty if the state database was never restored."""
    if noted.lost_since is None or noted.lost_until is None:
        return ""
    if noted.lost_until <= noted.lost_since:
        return (
            "the state database was restored from a backup, which holds all that the last daemon knew: nothing is lost"
        )
    return (
        f"the state database was restored from a backup: what was recorded between {noted.lost_since:{INSTANT}} and "
        f"{noted.lost_until:{INSTANT}} is lost. Slots of that time do not count as missed. What was published then is "
        "published again, with the same message ids. Pauses of that time are gone"
    )


def _newest_age(found: Identity, memo: Memo | None, now: datetime) -> tuple[int, int]:
    """The highest age that anybody may know.

    Without a memo it grows with the time: if the same backup is restored again later, nobody takes that for the first
    restore.
    """
    if memo is not None:
        return memo.age
    return found.generation, found.beat + BEATS_A_SECOND * _seconds_since(found.beat_at, now)


def _floor(connection: Connection, found: Identity, memo: Memo | None, now: datetime) -> int:
    """An id that no lost run had.

    Without a memo it grows with the time, twice as fast as ids did in the day before the backup, and by one each second
    at least. So it is also above what was given after an earlier restore of the same backup.
    """
    newest = recent.newest_id(connection)
    if memo is not None:
        return -(-(max(newest, memo.newest_run) + MARGIN) // MARGIN) * MARGIN
    first = select(func.min(runs.c.id)).where(runs.c.started_at >= found.beat_at - DAY)
    a_day = newest - (connection.execute(first).scalar() or newest)
    seconds = _seconds_since(found.beat_at, now)
    return newest + MARGIN + max(seconds, 2 * a_day * seconds // DAY_SECONDS)


def _seconds_since(at: datetime, now: datetime) -> int:
    return max(0, int((now - at).total_seconds()))


def leap_over(connection: Connection, floor: int, now: datetime) -> None:
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
