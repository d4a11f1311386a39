"""What a notice says. Each channel renders it in its own way."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from janitor.notices.times import duration_text, instant_text
from janitor.runs.bounds import listed
from janitor.state.deliveries import ENDED, REPEATED

TEST = "test"
"""The kind of a notice that only tries a channel. The other kinds are those of deliveries."""
DIGEST = "digest"
"""The kind of several notices in one message."""
NAMED = 3
"""How many of its notices the subject of a digest names."""
MOST_COUNTS = 12
"""How many of a run's counts are told."""
MORE = ", and {} more"
MOST_BRIEF = 200
TITLES = {
    "failed": "failed",
    "missed": "missed slots",
    "interrupted": "was interrupted",
    "overdue": "is overdue",
    "started_late": "started late",
    "ran_long": "runs long",
    "suspiciously_empty": "is suspiciously empty",
    "quarantine_growing": "puts rows into quarantine",
    "step_fails": "fails at item after item",
    "items_wait": "lets items wait",
    "dead_letters_growing": "gets messages that cannot become items",
    "reply_undelivered": "cannot deliver replies",
    "state_away": "cannot reach its state database",
    "loop_failing": "has a part that fails again and again",
    "state_made": "has a new state database",
    "state_restored": "has a restored state database",
    "trouble": "needs a look",
    "test": "sends a test notice",
}
OF_NO_JOB = ("state_away", "state_made", "state_restored", "loop_failing", "trouble", "test")
"""The rules whose notices concern no job."""


def in_brief(text: str) -> str:
    """The beginning of a text, in characters that everything takes."""
    return ascii(text)[1:-1][:MOST_BRIEF]


@dataclass(frozen=True)
class Content:
    """A notice in full: the rule and the job, since when, and what the job's run said.

    `key` names the notice: it is the same from its beginning to its end, and no other deployment has it. `over` says
    why the notice ended. A digest holds its notices as `parts`. `pipeline` is what the job is part of, if it is part of
    one. `item` is the key of the item that the notice is about.
    """

    key: str
    kind: str
    rule: str
    job: str
    text: str
    began_at: datetime
    at: datetime
    host: str
    over: str = ""
    run_id: int | None = None
    error: str = ""
    counts: Mapping[str, Any] | None = None
    log: Sequence[str] = ()
    next_run_at: datetime | None = None
    web_url: str | None = None
    parts: Sequence["Content"] = ()
    pipeline: str = ""
    item: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nothing in it needs a person."""
        return all(part.is_good for part in self.parts) if self.parts else self.kind in (ENDED, TEST)

    @property
    def subject(self) -> str:
        """The notice in a few words."""
        if self.parts:
            return f"{len(self.parts)} notices: {listed([part.subject for part in self.parts], NAMED, MORE)}"
        if self.kind == ENDED:
            return f"{self.job} {'recovered' if self.rule == 'failed' else f'{self._title}: over'}"
        return f"{self.job} {self._title}{', still' if self.kind == REPEATED else ''}"

    @property
    def _title(self) -> str:
        return TITLES.get(self.rule, self.rule)

    @property
    def brief(self) -> "Content":
        """The notice without what a task wrote: nothing in it can keep it from being told."""
        text, over = map(in_brief, (self.text, self.over))
        parts = tuple(part.brief for part in self.parts)
        return replace(self, text=text, over=over, error="", counts=None, log=(), parts=parts, item="")

    @property
    def sentence(self) -> str:
        """The notice in one sentence."""
        return f"{self.job}: {self.over or self.text}"

    @property
    def facts(self) -> list[tuple[str, str]]:
        """More to know, as names and values."""
        counted = [f"{name} {value}" for name, value in (self.counts or {}).items()]
        counts = listed(counted, MOST_COUNTS, MORE)
        return [
            ("rule", self.rule),
            *([("item", self.item)] if self.item else []),
            ("since", instant_text(self.began_at)),
            *(self._end_facts() if self.kind == ENDED else []),
            *([("counts", counts)] if counts else []),
            *([("next run", instant_text(self.next_run_at))] if self.next_run_at else []),
            ("from", self.host),
        ]

    def _end_facts(self) -> list[tuple[str, str]]:
        lasted = duration_text((self.at - self.began_at).total_seconds())
        return [("until", f"{instant_text(self.at)}, for {lasted}"), ("it was", self.text)]

    @property
    def links(self) -> list[tuple[str, str]]:
        """Pages of the dashboard, as names and addresses; none without WEB_URL."""
        if not self.web_url or self.parts:
            return []
        base = self.web_url.rstrip("/")
        run = [(f"run {self.run_id}", f"{base}/runs/{self.run_id}")] if self.run_id else []
        job = [(self.job, f"{base}/jobs/{self.job}")] if self.rule not in OF_NO_JOB else []
        return [*self._links_of_items(base), *run, *job]

    def _links_of_items(self, base: str) -> list[tuple[str, str]]:
        if not self.pipeline:
            return []
        page = f"{base}/pipelines/{self.pipeline}"
        # No path holds every key; a query does.
        item = [(f"item {in_brief(self.item)}", f"{page}/item?{urlencode({'key': self.item})}")] if self.item else []
        letters = [("dead letters", f"{page}/letters")] if self.rule == "dead_letters_growing" else []
        return [*item, *letters, (f"pipeline {self.pipeline}", page)]


def digest(parts: Sequence[Content]) -> Content:
    """Join notices, the oldest first, into one. The same notices give the same digest; a single notice stays alone."""
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return first
    return Content(
        key=f"{first.key}.{len(parts)}.{last.key}",
        kind=DIGEST,
        rule=DIGEST,
        job="janitor",
        text=f"{len(parts)} notices, each of which follows",
        began_at=min(part.began_at for part in parts),
        at=max(part.at for part in parts),
        host=first.host,
        parts=parts,
    )


def to_json(content: Content) -> str:
    """Write a notice as it is kept until it is delivered. Digests are not kept: they are made when they are sent."""
    values = {name: value for name, value in asdict(content).items() if name != "parts"}
    return json.dumps(values, default=lambda value: value.isoformat())


def from_json(text: str) -> Content:
    """Read what `to_json` wrote. Keys that another release added are ignored.

    Raises:
        ValueError, TypeError, LookupError, AttributeError: it is something else.
    """
    known = {field.name for field in fields(Content)}
    values = {name: value for name, value in json.loads(text).items() if name in known}
    for name in ("began_at", "at", "next_run_at"):
        values[name] = values[name] and datetime.fromisoformat(values[name])
    content = Content(**values)
    texts = (
        content.key,
        content.kind,
        content.rule,
        content.job,
        content.text,
        content.host,
        content.pipeline,
        content.item,
    )
    if not all(isinstance(one, str) for one in texts) or None in (content.began_at.tzinfo, content.at.tzinfo):
        raise ValueError("it is no notice")
    return content
