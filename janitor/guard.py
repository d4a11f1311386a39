"""The one place that catches whatever is raised: the guard around code that others wrote."""

from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

Told = TypeVar("Told")


class Guarded(Generic[Told]):
    """A guarded block; `instead` is what the handler returned, None if the block ended well."""

    def __init__(self, handler: Callable[[BaseException], Told], kinds: type[BaseException]) -> None:
        """Hand errors of these kinds to the handler; all others pass."""
        self._handler, self._kinds = handler, kinds
        self.instead: Told | None = None

    def __enter__(self) -> Self:
        """Begin the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """End the block, and hand its error to the handler."""
        # Not of the error itself: it may lie about its class, or fail when it is asked.
        if error is None or not issubclass(type(error), self._kinds):
            return False
        self.instead = self._handler(error)
        return True


def foreign_code(handler: Callable[[BaseException], Told], kinds: type[BaseException] = Exception) -> Guarded[Told]:
    """Run a block of foreign code, and hand what it raises to `handler` instead of passing it on.

    Foreign code is what others wrote: a task, a cleanup, the import or template of a jobs file, a value's `repr`, a
    call that logs. A verb counts as foreign too, and so does the body of a loop that must not die. Nothing else is
    guarded, since an error of ours has a name. `kinds` is `BaseException` if the block may also end with SystemExit or
    KeyboardInterrupt. What `handler` raises passes on.

    An error holds its traceback, and the traceback holds the frame with the block and all that the foreign code held.
    So the guard does not keep the error, and neither should a caller: the two would keep each other alive.
    """
    return Guarded(handler, kinds)
