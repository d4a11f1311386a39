"""The demo's broker goes away and comes back: a file stands where its folder was."""

from dataclasses import dataclass, field
from pathlib import Path

from janitor.demo.inbox import Inbox

FIRST_SECONDS, EVERY_SECONDS = 45.0, 180.0
"""When the broker goes away in a demo without an end: so long after its beginning, and then so often."""
SHARE = 0.3
"""When it goes away in a demo that ends: after this share of its time."""
LONGEST_SECONDS = 30.0
"""How long it stays away where nobody is told of it."""
SETTLED_SECONDS = 4.0
"""How long it stays away after somebody was told, so that one can look."""


@dataclass
class Outage:
    """Takes the folder of messages away, from time to time, until a notice tells of it."""

    folder: Path
    inbox: Inbox
    seconds: float | None
    _away_since: float | None = None
    _told_at: float | None = None
    _next: float = field(init=False)

    def __post_init__(self) -> None:
        """The first one comes when the demo has got going."""
        self._next = FIRST_SECONDS if self.seconds is None else self.seconds * SHARE

    @property
    def _kept(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.away")

    def step(self, now: float) -> str:
        """Go away or come back where it is time, `now` seconds into the demo; what happened, in words."""
        if self._away_since is None:
            if now < self._next or not self.folder.is_dir():
                return ""
            self._away_since, self._told_at, self._next = now, None, now + EVERY_SECONDS
            self._before = len(self.inbox.received)
            self.folder.rename(self._kept)
            self.folder.touch()
            return "the broker (here a folder of files) goes away"
        news = self.inbox.received[self._before :]
        if self._told_at is None and any((one["kind"], one["rule"]) == ("began", "failed") for one in news):
            self._told_at = now
        told = self._told_at is not None and now - self._told_at >= SETTLED_SECONDS
        return self.end() if told or now - self._away_since >= LONGEST_SECONDS else ""

    def end(self) -> str:
        """Come back, where it is away; what happened, in words."""
        if self._away_since is None:
            return ""
        self._away_since = None
        self.folder.unlink()
        self._kept.rename(self.folder)
        return "the broker is back"
