"""The watch over the state database's identity: whether it is still the one that this daemon wrote to.

    before it leads     is it older than the memo says?      a backup was restored: put right what is wrong
                        does another daemon lead on it?      Unavailable: that daemon knows of no restore
                        is it newer than the memo says?      the memo keeps up: a stand-by may be the next to lead
                        is it the one that it led on before? Unavailable: it does not lead on another one
    each second         is its file still there?             Unavailable: nothing is written until it is back
                        has nobody overwritten it?           Unavailable: nothing is written any more
    every few seconds   is it older than at the last beat?   Fenced: it stands by, and then looks as before it leads
                        is it another one?                   Unavailable: nothing is written until it is back
                        else one more beat, and the memo

What is found is an error of the keeper: it is logged once, the daemon is not ready, pages and notices tell it. The
watch looks on, and lets the daemon go on by itself once the state database is the same again.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from janitor.databases.places import family, place
from janitor.engine import restoring
from janitor.engine.leadership import Leadership
from janitor.engine.memos import Memo, Memos
from janitor.errors import Fenced, Unavailable
from janitor.runs import Fence
from janitor.state import State, identity, leases, loading, recent, run_records
from janitor.state.clocks import boot_clock
from janitor.state.holders import process
from janitor.state.identity import Identity
from janitor.state.main_file import MainFile

log = logging.getLogger(__name__)

NOTICED = "the daemon"
"""Who has noticed a restore, as the audit has it."""


class IdentityWatch:
    """A duty of the daemon that leads, and a look before it leads."""

    def __init__(
        self,
        state: State,
        leadership: Leadership,
        holder: str,
        memos: Memos,
        lease_seconds: float,
        clock: Callable[[], float] = boot_clock,
    ) -> None:
        """Nothing is read yet."""
        self._state, self._leadership, self._holder = state, leadership, holder
        self._memos, self._seconds, self._clock = memos, lease_seconds / 3, clock
        self._memo: Memo | None = None
        self._known: Identity | None = None
        self._own: Identity | None = None
        """The identity at the last beat of this process, also after it has lost the lead."""
        self._beat_at, self._told_other, self._is_overwritten = 0.0, False, False
        self._behind_since: float | None = None
        on_file = family(state.url) == "sqlite" and state.url.database
        self._file = MainFile(Path(str(state.url.database))) if on_file else None

    def look_before_leading(self) -> bool:
        """Notice that a backup was restored, before anything is made of what it knows; whether this daemon may lead.

        Raises:
            Unavailable, Rejected: the state database is away, or a backup is being loaded into it, or was restored
                although a daemon leads that does not know it.
        """
        self._known = None
        with self._state.read() as connection:
            found, runs = identity.load(connection), run_records.history(connection, limit=1)
        if self._own is not None and (found is None or found.id != self._own.id):
            raise Unavailable(self._another())
        memo = self._memo = self._memo or self._memos.newest(found.id if found else "")
        if memo is not None and self._went_back(memo, found, runs[0].started_at if runs else None):
            return self._note_restore(memo)
        self._behind_since = None
        if memo is not None and (found is None or memo.id != found.id):
            self._tell_other(memo)
        if found is not None:
            self._keep_up(found, runs[0].id if runs else 0)
        return True

    def _went_back(self, memo: Memo, found: Identity | None, newest_at: datetime | None) -> bool:
        """Whether the state database, whose newest run began at a moment, is older than a memo."""
        if found is None:
            # A backup of an earlier release has no identity. What was made just now has no runs.
            return memo.place == self._memos.place and newest_at is not None and newest_at < memo.at
        return memo.is_ahead_of(found)

    def _keep_up(self, found: Identity, newest: int) -> None:
        """Let the memo know what another daemon does, while this one stands by: it may be the next to lead."""
        if self._clock() >= self._beat_at:
            self._beat_at = self._clock() + self._seconds
            self._memos.write(self._learn(found, newest))

    def _learn(self, found: Identity, newest_run: int) -> Memo:
        """The memo of what was found just now. Ids that a restore leapt over count as given."""
        if self._memo is not None and self._memo.id == found.id:
            newest_run = max(newest_run, self._memo.newest_run)
        self._memo = Memo.of(found, newest_run)
        return self._memo

    def beat_last(self, fence: Fence | None) -> None:
        """Count a last beat, under the lease that is about to be given back: no backup from before is as old.

        Raises:
            Fenced: another daemon leads by now.
            Unavailable, Rejected: the state database is away.
        """
        if fence is None or self._known is None:
            return
        with self._state.begin(fence) as connection:
            beaten = identity.beat(connection, self._known, self._state.now(connection))
            newest = recent.newest_id(connection)
        if beaten is not None:
            self._known = beaten
            self._learn(beaten, newest)

    def leave(self, now: datetime) -> None:
        """Note when this daemon ended, if it led: slots up to now had their outcome."""
        if self._known is not None and self._memo is not None and not self._state.stopped:
            self._memos.write(replace(self._memo, at=max(now, self._memo.at)))

    def step(self) -> None:
        """Make sure that the state database is the same, and count one more beat if it is time to.

        Raises:
            Fenced: this daemon does not lead any more.
            Unavailable, Rejected: the state database is away, or is another than before; nothing more is written to it.
        """
        if self._state.stopped and not self._is_overwritten:
            self._look_again()
        self._state.check()
        self._look_at_main_file()
        if self._known is None or self._clock() >= self._beat_at:
            self._beat()
            self._beat_at = self._clock() + self._seconds

    def _beat(self) -> None:
        with self._state.begin(*self._leadership.lead.fences) as connection:
            now, known = self._state.now(connection), self._known
            found = identity.ensure(connection, now) if known is None else identity.load(connection)
            # Only the leader beats. So a higher beat is its own, whose answer was lost.
            if known is not None and found is not None and found.id == known.id and found.age < known.age:
                raise Fenced("a backup of the state database was restored under this daemon")
            is_same = found is not None and (known is None or found.id == known.id)
            beaten = identity.beat(connection, found, now) if found is not None and is_same else None
            newest = recent.newest_id(connection)
        if beaten is None:
            self._state.stop(self._another())
            self._state.check()
        else:
            self._own = self._known = beaten
            self._memos.write(self._learn(beaten, newest))

    def _another(self) -> str:
        return (
            f"another state database came in the place of the one at {place(self._state.url)} that this daemon led on; "
            "nothing is written until it is back; to go on with the other, stop this daemon and start it anew"
        )

    def _look_at_main_file(self) -> None:
        if self._file is not None and self._known is not None and self._file.is_overwritten(self._known):
            self._is_overwritten = True
            path = self._state.url.database
            self._state.stop(
                f"the file {path} of the state database was overwritten while this daemon had it open, as `cp` does; "
                f"nothing is written any more; stop this daemon, delete {path}-wal and {path}-shm, and put the file "
                "there anew"
            )
            self._state.check()

    def _look_again(self) -> None:
        with self._state.read(even_if_stopped=True) as connection:
            found = identity.load(connection)
        if self._own is not None and found is not None and found.id == self._own.id:
            self._state.stop("")

    def _note_restore(self, memo: Memo) -> bool:
        with self._state.begin() as connection:
            loading.require_loaded(connection)
            now = self._state.now(connection)
            found = restoring.identity_of_backup(connection, now, memo.id)
            if not memo.is_ahead_of(found):
                return True
            other = leases.holder_of(connection, leases.DAEMON)
            leapt = self._state.clock.leapt()
            if leases.acquire(connection, leases.DAEMON, self._holder, now, self._seconds, True, leapt) is None:
                self._wait_for(other or "")
                return False
            left = restoring.note(connection, found, memo, NOTICED, now)
            noted = identity.load(connection)
        if left is not None and noted is not None:
            self._memo = left
            self._memos.write(left)
            log.warning("%s", restoring.sentence(noted))
        return left is not None

    def _wait_for(self, leader: str) -> None:
        """Wait for the daemon that leads: the lease may be the backup's, or its holder is just noticing the restore."""
        now = self._clock()
        self._behind_since = now if self._behind_since is None else self._behind_since
        if now - self._behind_since >= 3 * self._seconds:
            raise Unavailable(
                f"a backup of the state database was restored, and the daemon that leads ({process(leader)}) does not "
                "know it: stop that daemon, so that this daemon can put right what the restore has made wrong"
            )

    def _tell_other(self, memo: Memo) -> None:
        self._memo = None
        if not self._told_other:
            log.warning(
                "before, this daemon worked on another state database, at %s, up to run %d, until %s; if that is "
                "meant, stop this daemon, and correct STATE_DATABASE_URL or mount its volume",
                memo.place,
                memo.newest_run,
                f"{memo.at:{restoring.INSTANT}}",
            )
        self._told_other = True
