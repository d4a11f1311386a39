"""Migrating on a person's word: what is to do, and doing it."""

from collections.abc import Sequence

from janitor.databases.places import place
from janitor.engine import migrating
from janitor.errors import JanitorError
from janitor.state import State, actions, holders, leases
from janitor.state.holders import process
from janitor.state.migrations.plan import Estimate, estimates, roughly
from janitor.state.tables import SCHEMA_VERSION


def plan(state: State) -> tuple[str, Sequence[Estimate]]:
    """What is to do until the schema is this release's, in a sentence and step by step; nothing is changed.

    Raises:
        Unavailable, Rejected: the state database is away, is not there, or belongs to a newer release.
    """
    state.require(or_older=True)
    found, where = state.version(), place(state.url)
    if found == SCHEMA_VERSION:
        return f"the state database at {where} has schema {found}: there is nothing to migrate", ()
    with state.read() as connection:
        steps = estimates(connection, state.pending())
    seconds = roughly(sum(step.seconds for step in steps))
    count = f"{len(steps)} step{'s' if len(steps) != 1 else ''}"
    said = f"has schema {found}, and this release needs schema {SCHEMA_VERSION}: {count}, {seconds} in all"
    return f"the state database at {where} {said}", steps


def migrate(state: State, actor: str, lease_seconds: float) -> str:
    """Bring the schema to this release's version; what was done, in a sentence.

    Raises:
        JanitorError: a daemon leads, or another process migrates; nothing is changed.
        Unavailable, Rejected: the state database is away, or says no; the same call goes on from there.
    """
    state.require(or_older=True)
    found, where = state.version(), place(state.url)
    if found == SCHEMA_VERSION:
        return f"the state database at {where} has schema {found}: there is nothing to migrate"
    fence = migrating.migrate(state, holders.new_holder(lease_seconds), lease_seconds)
    if fence is None:
        raise JanitorError(
            f"a daemon leads on this state database, or migrates it ({_leader(state)}): stop it, or wait until it has "
            "migrated; if that process is gone, its lease ends within LEASE_SECONDS"
        )
    with state.begin(fence) as connection:
        now = state.now(connection)
        actions.record(connection, actor, "migrated", None, f"schema {found} to {SCHEMA_VERSION}", now)
        leases.release(connection, fence)
    return f"the state database at {where} had schema {found}, and has schema {SCHEMA_VERSION} now"


def _leader(state: State) -> str:
    with state.read() as connection:
        return process(leases.holder_of(connection, leases.DAEMON) or "")
