"""Taking ahead: a server does two things at once, so the next items are taken while others are recorded.

    the run's thread     records what is done, on its connection
    a thread beside it   takes what comes next, on another one, and hands it to the run

SQLite has one writer at a time: there the run itself takes the next items, in the transaction that records the others.
"""

import threading
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context

from janitor.guard import foreign_code
from janitor.items.handing import Receiver
from janitor.state.item_claims import Claimed

LEAST = 100
"""For fewer items a transaction of their own does not pay."""


class Ahead:
    """Takes items beside the run's thread, which alone calls its methods."""

    def __init__(self, take: Callable[[int], Sequence[Claimed]], receiver: Receiver, is_server: bool) -> None:
        """`take` takes up to so many items, and commits that."""
        self._take, self._receiver = take, receiver
        self._thread: threading.Thread | None = None
        self._is_possible = is_server

    @property
    def is_busy(self) -> bool:
        """Whether items are being taken."""
        return self._thread is not None and self._thread.is_alive()

    def begins(self, wanted: int, ends: int) -> bool:
        """Begin to take so many, while so many are recorded, if that pays; else the run has to take them."""
        if not self._is_possible or min(wanted, ends) < LEAST or not self._receiver.expect(wanted):
            return False
        name = f"{threading.current_thread().name} ahead"
        self._thread = threading.Thread(target=self._go, args=(copy_context(), wanted), name=name, daemon=True)
        self._thread.start()
        return True

    def _go(self, context: Context, wanted: int) -> None:
        claimed: Sequence[Claimed] = ()
        with foreign_code(self._cannot, BaseException):
            claimed = context.run(self._take, wanted)
        self._receiver.keep(wanted, claimed)

    def _cannot(self, error: BaseException) -> None:
        """The run itself finds out what is wrong, as it takes the next; but what became of these nobody knows."""
        self._receiver.is_in_doubt, self._is_possible = True, False
