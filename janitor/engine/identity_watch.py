"""The watch over the state database's identity: whether it is still the one that this daemon wrote to.

    before it leads     is it older than the memo says?      a backup was restored: put right what is wrong
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
from janitor.state import State, identity, leases, recent
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
        on_file = family(state.url) == "sqlite" and state.url.database
        self._file = MainFile(Path(str(state.url.database))) if on_file else None

    def look_before_leading(self) -> bool:
        """Notice that a backup was restored, before anything is made of what it knows; whether this daemon may lead.

        Raises:
            Unavailable: the backup's own leader counts as alive; or the state database is away, or another than before.
            Rejected: the state database says no.
        """
        self._known = None
        with self._state.read() as connection:
            found = identity.load(connection)
        if self._own is not None and (found is None or found.id != self._own.id):
            raise Unavailable(self._another())
        memo = self._memo = self._memo or self._memos.newest(found.id if found else "")
        if memo is None:
            return True
        if found is not None and memo.is_ahead_of(found):
            return self._note_restore(memo)
        if found is None or memo.id != found.id:
            self._tell_other(memo)
        return True

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
            self._memo = Memo.of(beaten, newest)
            self._memos.write(self._memo)

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
        noted = None
        with self._state.begin() as connection:
            now, found = self._state.now(connection), identity.load(connection)
            if found is None or not memo.is_ahead_of(found):
                return True
            leapt, other = self._state.clock.leapt(), leases.holder_of(connection, leases.DAEMON)
            fence = leases.acquire(connection, leases.DAEMON, self._holder, now, self._seconds, True, leapt)
            if fence is not None:
                noted = restoring.note(connection, found, memo, NOTICED, now)
        if fence is None:
            raise Unavailable(
                "a backup of the state database was restored, and in it another process holds the daemon's lease "
                f"({process(other or '')}): once that lease is over, this daemon notes the restore, and leads"
            )
        if noted is not None:
            self._memo = Memo.of(noted, memo.newest_run)
            log.warning("%s", restoring.sentence(noted))
        return noted is not None

    def _tell_other(self, memo: Memo) -> None:
        self._memo = None
        if not self._told_other:
            log.warning(
                "before, this daemon worked on another state database than %s: up to run %d, until %s; if that one is "
                "meant, stop this daemon, and correct STATE_DATABASE_URL or mount its volume",
                place(self._state.url),
                memo.newest_run,
                f"{memo.at:{restoring.INSTANT}}",
            )
        self._told_other = True
