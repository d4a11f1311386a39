"""Fences: a process that lost its lease writes nothing, however late it wakes up.

    process A          takes the lease, token 7 ........ sleeps ........ wakes, begins with fence 7: Fenced
    process B                              the lease expires, B takes it, token 8

Whoever writes hands in the fences of its leases. The transaction first makes sure that each lease still has the fence's
token, and locks it until it ends: so nobody can take the lease in between.

Many may write under one fence at a time. The journal writes alone: if the network fails at a commit, the server may
still do it, seconds later. What the journal writes next waits for that, and sees what came of it.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import BindParameter, Connection, bindparam, select, tuple_

from janitor.errors import Fenced
from janitor.runs import Fence
from janitor.state.tables import leases

_WANTED: BindParameter[list[tuple[str, int]]] = bindparam("wanted", expanding=True)
_STANDING = select(leases.c.name).where(tuple_(leases.c.name, leases.c.token).in_(_WANTED))
_HELD = _STANDING.with_for_update(read=True)
_HELD_ALONE = _STANDING.with_for_update()


def hold(connection: Connection, fences: Iterable[Fence], alone: bool = False) -> None:
    """Make sure that leases still stand, and keep them until the transaction ends; if `alone`, no other holds them.

    Raises:
        Fenced: another process holds one of the leases now.
    """
    wanted = [(fence.name, fence.token) for fence in fences]
    if not wanted:
        return
    held = held_names(connection, wanted, alone)
    lost = sorted(fence.name for fence in fences if fence.name not in held)
    if lost:
        raise Fenced(f"another process holds {', '.join(lost)} now; this one writes nothing more")


def held_names(connection: Connection, wanted: Sequence[tuple[str, int]], alone: bool = False) -> set[str]:
    """The names of those leases, given as (name, token), that still stand; they stand until the transaction ends."""
    return set(connection.execute(_HELD_ALONE if alone else _HELD, {"wanted": wanted}).scalars())
