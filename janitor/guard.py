"""The one place that catches whatever is raised: the guard around code that others wrote."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(eq=False)
class Caught:
    """What a guarded block raised; None if it ended well."""

    error: BaseException | None = None


@contextmanager
def foreign_code(kinds: type[BaseException] = Exception) -> Iterator[Caught]:
    """Run a block of foreign code, and keep what it raises instead of passing it on.

    Foreign code is a task, a cleanup, the import or template of a jobs file, a value's `repr`, a call that logs, a
    verb, and the body of a loop that must not die. Nothing else is guarded: an error of ours has a name. `kinds` is
    `BaseException` if the block may also end with SystemExit or KeyboardInterrupt.
    """
    caught = Caught()
    try:
        yield caught
    except kinds as exc:
        caught.error = exc
