"""Fences: a process that lost its lease writes nothing, however late it wakes up.

    process A          takes the lease, token 7 ........ sleeps ........ wakes, begins with fence 7: Fenced
    process B                              the lease expires, B takes it, token 8

Whoever writes hands in the fences of its leases. The transaction first makes sure that each lease still has the fence's
token, and locks it until it ends: so nobody can take the lease in between.

Many may write under one fence at a time. The journal writes alone: if the network fails at a commit, the server may
still do it, seconds later. What the journal writes next waits for that, and sees what came of it.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from janitor.databases.direct import Direct, a_list
from janitor.errors import Fenced
from janitor.runs import Fence
from janitor.state.tables import leases

_NAMED = select(leases.c.name, leases.c.token).where(leases.c.name.in_(a_list("names")))
_STANDING = {
    alone: Direct(_NAMED.with_for_update() if alone else _NAMED.with_for_update(read=True)) for alone in (True, False)
}


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
    found = _STANDING[alone].rows(connection, {"names": [name for name, _ in wanted]})
    return {name for name, token in found if (name, token) in wanted}
