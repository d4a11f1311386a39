"""Whether the state database is reachable, current and writable."""

import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import update

from janitor import databases
from janitor.checks.encryption import state_secured_by
from janitor.checks.finding import Finding, note, ok, wrong
from janitor.engine.host_clock import OFF_SECONDS, sentence
from janitor.errors import JanitorError
from janitor.settings.settings import Settings
from janitor.state import State
from janitor.state.tables import SCHEMA_VERSION, leases


def of_state(settings: Settings) -> Iterator[Finding]:
    """Look whether the state database is reachable, writable, and of this release's schema, or older, or empty."""
    url = settings.state_database_url
    where = f"STATE_DATABASE_URL: the state database at {databases.place(url)}"
    if databases.family(url) == "sqlite" and url.database and not Path(url.database).exists():
        if (obstacle := obstacle_to(Path(url.database))) is not None:
            yield wrong(f"{where} cannot be made, as {obstacle}: let Janitor's user write there, or give another path")
        else:
            yield ok(f"{where} is not there yet; the first start makes it")
        return
    state = State(url, settings.connect_timeout_seconds, settings.login)
    try:
        version = state.version()
        if version is None:
            yield ok(f"{where} is empty; the first start makes its tables{state_secured_by(settings)}")
            return
        state.require(or_older=True)
        with state.begin() as connection:
            connection.execute(update(leases).where(leases.c.name == "").values(holder=None))
            state.now(connection)
        yield ok(f"{where} can be read and written, schema {version}{state_secured_by(settings)}")
        if version != SCHEMA_VERSION:
            needed = f"this release needs schema {SCHEMA_VERSION}: `migrate` and `start` bring it there"
            yield note(f"{where} has schema {version}, and {needed}; `migrate --check` tells how long that takes")
        if abs(ahead := state.clock.host_ahead_seconds) > OFF_SECONDS:
            yield note(sentence(ahead))
    except JanitorError as exc:
        yield wrong(f"STATE_DATABASE_URL: {exc}")
    finally:
        state.close()


def obstacle_to(path: Path) -> str | None:
    """What keeps a file from being made or written; None if it can be."""
    if path.exists():
        return None if path.is_file() and os.access(path, os.W_OK) else f"{path} is not a file that may be written"
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    return None if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) else f"nothing may be made in {folder}"
