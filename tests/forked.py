"""Children that a test forks."""

import os
from collections.abc import Callable


def code_of_child(act: Callable[[], object]) -> int:
    """The exit code of a forked child that does something; negative if a signal ended it."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
