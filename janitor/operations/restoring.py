"""Restoring a backup of the state database; and telling that a person has restored a backup in another way.

    backup ──copied──> a copy, beside the place or in a temporary folder
                       brought to this release's schema
                       put right: ids go on above, runs that went on are closed, all tokens leap
                       ──as a whole──> the place of the state database

So whoever is cut off has restored nothing, and no daemon ever finds a backup that is not put right.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, Connection, text

from janitor.databases.places import family, place
from janitor.engine import restoring
from janitor.engine.memos import Memo, Memos
from janitor.errors import JanitorError, Rejected
from janitor.settings.paths import shown
from janitor.state import State, holders, identity, leases, recent
from janitor.state.backup import back_up, copy_rows, sync
from janitor.state.holders import process
from janitor.state.identity import Identity
from janitor.state.same_file import put_journals_aside
from janitor.state.tables import SCHEMA_VERSION

SECONDS = 5.0
"""How long the lease of the daemon is asked for: in the same transaction it is given back."""
_HIGHEST_RUN = text("SELECT seq FROM sqlite_sequence WHERE name = 'runs'")


def restore(state: State, backup: Path, memos: Memos, actor: str) -> Identity:
    """Make a state database from a backup, and put right what a restore makes wrong; its identity since.

    The backup stays as it is. The state database is there as a whole, or not at all. Who held a lease at the backup
    does not matter.

    Raises:
        Rejected: there is a state database already, or the file is no backup, or the state database cannot be made.
        Unavailable: the state database is away.
    """
    _require_empty(state)
    path = Path(os.path.realpath(str(state.url.database))) if family(state.url) == "sqlite" else None
    with _told(state), _folder(None if path is None else path.parent) as folder:
        copy = folder / "copy.db"
        with closing(_opened(backup)) as source:
            back_up(source, copy)
        noted, memo = _put_right(copy, memos, actor, _time_of(state))
        if path is None:
            _fill(state, copy)
        else:
            _require_empty(state)
            _put_in_place(copy, path)
    memos.write(memo)
    return noted


def tell(state: State, memos: Memos, actor: str, snapshot: bool = False) -> Identity:
    """Note that a backup was restored, and put right what it has made wrong; the state database's identity since.

    It is one transaction. If the last daemon left its memo here, that tells up to when records are lost; else they
    count as lost up to now. With `snapshot` the memo counts for nothing: it was restored too.

    Raises:
        JanitorError: a daemon leads, or the memo tells that nothing was restored; nothing is changed.
        Unavailable, Rejected: the state database is away.
    """
    with state.begin() as connection:
        now = state.now(connection)
        found = restoring.identity_of_backup(connection, now)
        memo = None if snapshot else memos.newest(found.id)
        if memo is not None and memo.id == found.id and memo.age == found.age:
            raise JanitorError(
                "the state database is as the last daemon left it: no backup was restored since; if its memo was "
                "restored too, as with a snapshot of a volume, give --snapshot"
            )
        other = leases.holder_of(connection, leases.DAEMON) or ""
        if leases.acquire(connection, leases.DAEMON, holders.new_holder(), now, SECONDS) is None:
            raise JanitorError(
                f"a daemon leads on this state database ({process(other)}): stop it first; if the backup is that of a "
                "daemon at work, type this again when its lease has ended"
            )
        noted, memo = _note(connection, found, memo, actor, now)
    memos.write(memo)
    return noted


def _note(
    connection: Connection, found: Identity, memo: Memo | None, actor: str, now: datetime
) -> tuple[Identity, Memo]:
    """Put right what is wrong; the identity since, and the memo to leave."""
    known = memo if memo is not None and memo.id == found.id and memo.age >= found.age else None
    left = restoring.note(connection, found, known, actor, now)
    noted = identity.load(connection)
    if left is None or noted is None:
        raise JanitorError("somebody else noted the restore at this moment")
    return noted, left


def _put_right(copy: Path, memos: Memos, actor: str, now: datetime) -> tuple[Identity, Memo]:
    with closing(State(_url(copy))) as made:
        made.migrate()
        with made.begin() as connection:
            found = restoring.identity_of_backup(connection, now)
            noted = _note(connection, found, memos.newest(found.id), actor, now)
    with closing(sqlite3.connect(copy)) as alone:
        # All is in the file itself, and nothing beside it.
        alone.execute("PRAGMA journal_mode = DELETE")
    return noted


def _put_in_place(copy: Path, path: Path) -> None:
    sync(copy)
    put_journals_aside(path)
    os.replace(copy, path)
    sync(path.parent)


def _fill(state: State, copy: Path) -> None:
    """Put all rows into a server's tables, in one transaction."""
    state.migrate()
    with closing(_opened(copy)) as source, source.read() as rows, state.begin() as target:
        copy_rows(rows, target)
        restoring.leap_over(target, rows.execute(_HIGHEST_RUN).scalar_one(), state.now(target))


def _time_of(state: State) -> datetime:
    """The time of a state database that may not be there yet."""
    if family(state.url) != "sqlite":
        with state.read() as connection:
            return state.now(connection)
    return state.clock.now()


@contextmanager
def _folder(beside: Path | None) -> Iterator[Path]:
    """A folder that is gone after the block; `beside` is a folder on whose disk it must be."""
    if beside is not None:
        beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=beside) as made:
        yield Path(made)


@contextmanager
def _told(state: State) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as exc:
        raise Rejected(
            f"the state database at {place(state.url)} cannot be made: {exc}; check the path, and the room on its disk"
        ) from exc


def _require_empty(state: State) -> None:
    if not _is_empty(state):
        raise Rejected(
            f"there is a state database at {place(state.url)}: stop its daemon, and move the file away or drop its "
            "tables first"
        )


def _is_empty(state: State) -> bool:
    found = state.version()
    if found is None or found != SCHEMA_VERSION:
        return found is None
    with state.read() as connection:
        return identity.load(connection) is None and recent.newest_id(connection) == 0


def _opened(path: Path) -> State:
    found = State(_url(path))
    if found.version() is None:
        raise Rejected(f"{shown(path)} holds no state database, so it is no backup")
    found.require(or_older=True)
    return found


def _url(path: Path) -> URL:
    return URL.create("sqlite", database=str(path))
