"""Restoring a backup of the state database; and telling that a person has restored a backup in another way."""

import tempfile
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL

from janitor.databases.places import family, place
from janitor.engine import restoring
from janitor.engine.memos import Memo, Memos
from janitor.errors import JanitorError, Rejected
from janitor.settings.paths import shown
from janitor.state import State, holders, identity, leases, recent, run_records
from janitor.state.backup import back_up, copy_rows
from janitor.state.holders import process
from janitor.state.identity import Identity
from janitor.state.same_file import put_journals_aside
from janitor.state.tables import SCHEMA_VERSION

SECONDS = 5.0
"""How long the lease of the daemon is asked for: in the same transaction it is given back."""


def restore(state: State, backup: Path, memos: Memos, actor: str) -> Identity:
    """Make a state database from a backup, and put right what a restore makes wrong; its identity since.

    The backup stays as it is. On a server the rows are one transaction.

    Raises:
        Rejected: there is a state database already, or the file is no backup; nothing is changed.
        JanitorError, Unavailable: as `tell` does.
    """
    if not _is_empty(state):
        raise Rejected(
            f"there is a state database at {place(state.url)}: stop its daemon, and move the file away or drop its "
            "tables first"
        )
    with tempfile.TemporaryDirectory() as folder, closing(_opened(backup)) as source:
        if family(state.url) == "sqlite":
            put_journals_aside(str(state.url.database))
            back_up(source, Path(str(state.url.database)))
            state.migrate()
        else:
            back_up(source, Path(folder) / "copy.db")
            with closing(_opened(Path(folder) / "copy.db")) as copy:
                copy.migrate()
                state.migrate()
                with copy.read() as rows, state.begin() as target:
                    copy_rows(rows, target)
    return tell(state, memos, actor)


def tell(state: State, memos: Memos, actor: str) -> Identity:
    """Note that a backup was restored, and put right what it has made wrong; the state database's identity since.

    It is one transaction. If the last daemon left its memo here, that tells up to when records are lost; else they
    count as lost up to now.

    Raises:
        JanitorError: a daemon leads, or the memo tells that nothing was restored; nothing is changed.
        Unavailable, Rejected: the state database is away.
    """
    with state.begin() as connection:
        now, newest = state.now(connection), run_records.history(connection, limit=1)
        found = identity.ensure(connection, newest[0].started_at if newest else now)
        memo = _of_same(memos.newest(found.id), found)
        if memo is not None and memo.age == found.age:
            raise JanitorError("the state database is as the last daemon left it: no backup was restored since")
        other = leases.holder_of(connection, leases.DAEMON) or ""
        if leases.acquire(connection, leases.DAEMON, holders.new_holder(), now, SECONDS) is None:
            raise JanitorError(f"a daemon leads on this state database ({process(other)}): stop it first")
        ahead = memo if memo is not None and memo.is_ahead_of(found) else None
        noted = restoring.note(connection, found, ahead, actor, now)
        if noted is None:
            raise JanitorError("somebody else noted the restore at this moment")
        last = recent.newest_id(connection)
    memos.write(Memo.of(noted, last if ahead is None else max(last, ahead.newest_run)))
    return noted


def _is_empty(state: State) -> bool:
    found = state.version()
    if found is None or found != SCHEMA_VERSION:
        return found is None
    with state.read() as connection:
        return identity.load(connection) is None and recent.newest_id(connection) == 0


def _opened(path: Path) -> State:
    found = State(URL.create("sqlite", database=str(path)))
    if found.version() is None:
        raise Rejected(f"{shown(path)} holds no state database, so it is no backup")
    found.require(or_older=True)
    return found


def _of_same(memo: Memo | None, found: Identity) -> Memo | None:
    return memo if memo is not None and memo.id == found.id else None
