"""The one place that catches whatever is raised: the guard around code that others wrote."""

from types import TracebackType
from typing import Self


class Guarded:
    """A guarded block; `error` is what it raised, None if it ended well."""

    def __init__(self, kinds: type[BaseException]) -> None:
        """Keep errors of these kinds; all others pass."""
        self._kinds = kinds
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        """Begin the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """End the block, and keep its error."""
        if not isinstance(error, self._kinds):
            return False
        self.error = error
        return True


def foreign_code(kinds: type[BaseException] = Exception) -> Guarded:
    """Run a block of foreign code, and keep what it raises instead of passing it on.

    Foreign code is what others wrote: a task, a cleanup, the import or template of a jobs file, a value's `repr`, a
    call that logs. A verb counts as foreign too, and so does the body of a loop that must not die. Nothing else is
    guarded, since an error of ours has a name. `kinds` is `BaseException` if the block may also end with SystemExit or
    KeyboardInterrupt. The guard leaves no frame of its own in the error's traceback.
    """
    return Guarded(kinds)
