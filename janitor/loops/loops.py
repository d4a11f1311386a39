"""The duties of a process, and its troubles: duties that fail again and again, and what else a person must know."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import TypeVar

from janitor.loops.duty import Duty, Passing, Trouble, no_error
from janitor.loops.loop import Loop

log = logging.getLogger(__name__)

Done = TypeVar("Done")
Listener = Callable[[Trouble, bool], None]


class Loops:
    """Every duty of a process; each has a name of its own."""

    def __init__(self, mask: Callable[[str], str] = str, clock: Callable[[], float] = time.monotonic) -> None:
        """`mask` hides secrets in the reasons of failures."""
        self._mask, self._clock = mask, clock
        self._duties: dict[str, Duty[object]] = {}
        self._listeners: list[Listener] = []
        self._noted: dict[str, Trouble] = {}
        self._noting = threading.Lock()

    def duty(self, name: str, body: Callable[[], Done], passes: Passing = no_error) -> Duty[Done]:
        """A duty, done by whoever calls its `do`; errors that `passes` lets pass are raised, and are no failures."""
        made = Duty(name, body, passes, self._tell, self._mask, self._clock)
        self._duties[name] = made  # type: ignore[assignment]  # what it returns does not matter here
        return made

    def records(self, name: str) -> Duty[None]:
        """A duty whose body is others' code: it handles records, each within `aside`."""
        return self.duty(name, lambda: None)

    def loop(
        self, name: str, body: Callable[[], float | None], first: float | None = 0.0, at_end: bool = False
    ) -> Loop:
        """A loop with a thread of its own, which is called `name`; see `Loop`."""
        return Loop(self.duty(name, body), first, at_end)

    def listen(self, listener: Listener) -> None:
        """Call `listener` when a trouble begins, and with True when it is over, in whatever thread notices it."""
        self._listeners.append(listener)

    def end_old_troubles(self) -> None:
        """Let troubles be over whose last failure is long ago: whoever has duties calls it now and then."""
        for duty in list(self._duties.values()):
            duty.end_old_failures()

    def note(self, name: str, why: str) -> None:
        """Let a person know of something until `note_over`; the daemon stays ready and healthy. From any thread.

        `name` is what is wrong, in a few words, and `why` a sentence. Noted again, the log tells each new sentence.
        """
        why = self._mask(why)
        with self._noting:
            before = self._noted.get(name)
            made = replace(before, why=why) if before else Trouble(name, datetime.now(timezone.utc), 0, why)
            self._noted[name] = made
        if made != before:
            log.warning("%s", why)
        if before is None:
            self._tell(made, over=False)

    def note_over(self, name: str) -> None:
        """What was noted under this name is over; nothing happens if nothing was."""
        with self._noting:
            before = self._noted.pop(name, None)
        if before is not None:
            log.info("%s: well again", name)
            self._tell(before, over=True)

    @property
    def troubles(self) -> Sequence[Trouble]:
        """What fails again and again at this moment."""
        return [trouble for duty in list(self._duties.values()) if (trouble := duty.trouble) is not None]

    @property
    def noted(self) -> Sequence[Trouble]:
        """What else a person must know at this moment."""
        with self._noting:
            return list(self._noted.values())

    @property
    def failures(self) -> Mapping[str, int]:
        """How often each duty failed since the process began."""
        return {name: duty.failed for name, duty in list(self._duties.items())}

    def _tell(self, trouble: Trouble, over: bool) -> None:
        for listener in self._listeners:
            listener(trouble, over)
