"""Migrating: the schema is changed under the daemon's lease, so that no daemon leads on tables that change.

    daemon of the old release    leads .......... stops
    daemon of the new release    stands by: "..."   takes the lease, migrates, leads
    daemon of the old release                       stands by: "has schema ..., and this release knows ..."

1. Whoever migrates takes the daemon's lease first. While another daemon leads, nothing is changed.
2. The lease is renewed meanwhile: by a thread, and at the end of each step. On SQLite the thread waits for the step.
3. If the lease is lost all the same, the migration ends after its step. Whoever migrates next goes on from there.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from sqlalchemy import Connection

from janitor.errors import Fenced, JanitorError
from janitor.loops import Loops
from janitor.runs import Fence
from janitor.state import State, leases


def migrate(state: State, holder: str, seconds: float) -> Fence | None:
    """Bring the schema of a state database to this release's version, under the daemon's lease; the lease.

    None if another process has the lease: then nothing is changed. `holder` is this process's name on leases, which
    last `seconds`. Whoever gets the lease leads under it, or gives it back; after an error it is given back already.

    Raises:
        Fenced: another daemon took the lease, as this process was frozen.
        Unavailable, Rejected: the state database is away or says no; the next call goes on.
    """
    with state.begin() as connection:
        now = state.now(connection)
        leapt = state.clock.leapt()
        fence = leases.acquire(connection, leases.DAEMON, holder, now, seconds, again=True, leapt=leapt)
    if fence is None:
        return None

    def keep(connection: Connection) -> None:
        if not leases.renew(connection, [fence], state.now(connection), seconds):
            raise Fenced("another daemon has taken over")

    def renew() -> None:
        with state.begin() as connection:
            keep(connection)

    with ExitStack() as after_an_error:
        after_an_error.callback(give_back, state, fence)
        with _again_and_again(renew, seconds / 3):
            state.migrate(keep)
        after_an_error.pop_all()
    return fence


def give_back(state: State, fence: Fence) -> None:
    """Give the daemon's lease back; if that is not possible now, it ends by itself."""
    with suppress(JanitorError), state.begin() as connection:
        leases.release(connection, fence)


@contextmanager
def _again_and_again(act: Callable[[], None], seconds: float) -> Iterator[None]:
    """Do something each so many seconds, in a thread, until the block ends; what it raises is for the next time."""

    def body() -> float:
        with suppress(JanitorError):
            act()
        return seconds

    loop = Loops().loop("keeping the lease", body, first=seconds)
    loop.start()
    try:
        yield
    finally:
        loop.ask_to_stop()
        loop.wait(seconds)
