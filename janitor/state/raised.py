"""What was raised, as data: an exception, the exceptions that led to it, and the frames of each.

A chain of exceptions is a tuple of `Raised`, the first cause first. `logs/tracebacks.py` takes it and writes it as
text; `notices/sentry.py` writes it as an event. It can be sent from one process to another.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Frame:
    """A line that an exception went through, with the lines around it: (number, text), blank lines left out.

    `variables` are the local variables by name, each as text; empty if they were not asked for.
    """

    file: str
    line: int
    function: str
    code: tuple[tuple[int, str], ...] = ()
    variables: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Raised:
    """One exception. `description` is what Python prints of it, its type first; it may have several lines.

    `frames` go from the outermost call to the line that raised; `left_out` frames are missing in their middle.
    `from_cause`: it was raised `from` the exception before it in its chain. `members`: the chains of a group. So many
    exceptions are left out `before` it in its chain, and so many `members_left_out` of its group.
    """

    module: str
    kind: str
    description: str
    frames: tuple[Frame, ...] = ()
    left_out: int = 0
    from_cause: bool = False
    members: "tuple[tuple[Raised, ...], ...]" = ()
    before: int = 0
    members_left_out: int = 0
