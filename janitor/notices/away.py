"""The notice that the state database is away. It comes from memory: its own place is what is away."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from janitor.errors import JanitorError
from janitor.logs.mask import Mask
from janitor.notices.content import Content
from janitor.state.clocks import boot_clock
from janitor.state.deliveries import BEGAN, ENDED

AWAY_SECONDS = 60.0
"""How long the state database must be away before that is told."""


class AwayNotice:
    """Tells once that the state database is away, and once that it is back."""

    def __init__(self, tell: Callable[[Content], None], mask: Mask, host: str, after_seconds: float) -> None:
        """`tell` takes the notice, every channel at once; `after_seconds` is how long the database may be away."""
        self._tell, self._mask, self._host, self._after_seconds = tell, mask, host, after_seconds
        self._since: float | None = None
        self._told: Content | None = None

    def is_away(self, exc: JanitorError, now: datetime, *, stands_by: bool) -> None:
        """Note that a look failed, and tell of it if it is time; a daemon that stands by tells nothing."""
        if self._since is None:
            self._since = boot_clock()
        if self._told is not None or stands_by or boot_clock() - self._since < self._after_seconds:
            return
        text = f"the state database is away; runs fail until it is back: {self._mask(str(exc))}"
        self._told = Content(
            key=f"janitor-{now:%Y%m%d%H%M%S}-state",
            kind=BEGAN,
            rule="state_away",
            job="janitor",
            text=text,
            began_at=now,
            at=now,
            host=self._host,
        )
        self._tell(self._told)

    def is_back(self, now: datetime) -> None:
        """Note that a look went well, and tell of it if it was told that the database was away."""
        self._since = None
        if self._told is not None:
            self._tell(replace(self._told, kind=ENDED, at=now, over="the state database is back"))
            self._told = None
