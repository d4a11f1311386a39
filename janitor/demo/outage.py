"""The demo's broker goes away and comes back: a file stands where its folder was."""

from dataclasses import dataclass, field
from pathlib import Path

from janitor.demo.inbox import Inbox

FIRST_SECONDS, EVERY_SECONDS = 45.0, 180.0
"""When the broker first goes away in a demo without an end, and how often after that."""
SHARE = 0.3
"""When it goes away in a demo that ends: after this share of the demo's time."""
LONGEST_SECONDS = 30.0
"""How long it stays away if no notice tells of it."""
SETTLED_SECONDS = 4.0
"""How long it stays away after the notice, so that people can look."""


@dataclass
class Outage:
    """Takes the folder of messages away, from time to time, until a notice tells of it.

    `seconds` is how long the demo lasts; None if it has no end.
    """

    folder: Path
    inbox: Inbox
    seconds: float | None
    _away_since: float | None = None
    _told_at: float | None = None
    _next: float = field(init=False)
    _received_before: int = 0

    def __post_init__(self) -> None:
        """The first outage comes when the demo has got going."""
        self._next = FIRST_SECONDS if self.seconds is None else self.seconds * SHARE

    @property
    def _kept(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.away")

    def step(self, now: float) -> str:
        """Go away or come back if it is time; return words for what happened, or an empty text.

        `now` is how many seconds the demo has lasted.
        """
        if self._away_since is None:
            if now < self._next or not self.folder.is_dir():
                return ""
            self._away_since, self._told_at, self._next = now, None, now + EVERY_SECONDS
            self._received_before = len(self.inbox.received)
            self.folder.rename(self._kept)
            self.folder.touch()
            return "the broker (here a folder of files) goes away"
        news = self.inbox.received[self._received_before :]
        if self._told_at is None and any((told["kind"], told["rule"]) == ("began", "failed") for told in news):
            self._told_at = now
        settled = self._told_at is not None and now - self._told_at >= SETTLED_SECONDS
        return self.end() if settled or now - self._away_since >= LONGEST_SECONDS else ""

    def end(self) -> str:
        """Come back if it is away; return words for that, or an empty text."""
        if self._away_since is None:
            return ""
        self._away_since = None
        self.folder.unlink()
        self._kept.rename(self.folder)
        return "the broker is back"
