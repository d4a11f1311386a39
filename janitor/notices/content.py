"""What a notice says: one object, which each channel renders in its own way."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from html import escape
from typing import Any

from janitor.notices.rules import in_words
from janitor.state.notices import ENDED, REPEATED

TEST = "test"
"""The kind of what is sent to see whether a channel works; the others are those of deliveries."""
DIGEST = "digest"
"""The kind of several notices that are told together."""
NAMED = 3
"""How many of its notices the subject of a digest names."""
TITLES = {
    "failed": "failed",
    "missed": "missed slots",
    "interrupted": "was interrupted",
    "overdue": "is overdue",
    "started_late": "started late",
    "ran_long": "runs long",
    "suspiciously_empty": "is suspiciously empty",
    "quarantine_growing": "puts rows into quarantine",
    "state_away": "cannot reach its state database",
    "test": "sends a test notice",
}
LOG_LINES = 20
MAX_ERROR = 2_000
MAX_LINE = 500
RULE = "-" * 60


@dataclass(frozen=True)
class Content:
    """A notice in full: which rule of which job, since when, and what its run said.

    `key` is the notice's own name, the same from its beginning to its end and in no other deployment. A digest has
    several notices as its `parts`.
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

    @property
    def is_good(self) -> bool:
        """Whether nothing in it asks for a person."""
        return all(part.is_good for part in self.parts) if self.parts else self.kind in (ENDED, TEST)

    @property
    def subject(self) -> str:
        """What it is about, in one line."""
        if self.parts:
            more = len(self.parts) - NAMED
            named = ", ".join(part.subject for part in self.parts[:NAMED])
            return f"{len(self.parts)} notices: {named}{f', and {more} more' if more > 0 else ''}"
        if self.kind == ENDED:
            return f"{self.job} {'recovered' if self.rule == 'failed' else f'{TITLES[self.rule]}: over'}"
        return f"{self.job} {TITLES[self.rule]}{', still' if self.kind == REPEATED else ''}"

    @property
    def sentence(self) -> str:
        """What happened, in one sentence."""
        return f"{self.job}: {self.over or self.text}"

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What there is to know besides, as names and values."""
        found = [("rule", self.rule), ("since", _instant(self.began_at))]
        if self.kind == ENDED:
            lasted = in_words((self.at - self.began_at).total_seconds())
            found += [("until", f"{_instant(self.at)}, for {lasted}"), ("it was", self.text)]
        if self.counts:
            found.append(("counts", ", ".join(f"{name} {value}" for name, value in self.counts.items())))
        if self.next_run_at:
            found.append(("next run", _instant(self.next_run_at)))
        return found + [("from", self.host)]

    @property
    def links(self) -> list[tuple[str, str]]:
        """Pages of the dashboard, as names and addresses."""
        if not self.web_url or self.parts:
            return []
        base = self.web_url.rstrip("/")
        run = [(f"run {self.run_id}", f"{base}/runs/{self.run_id}")] if self.run_id else []
        return run + ([(self.job, f"{base}/jobs/{self.job}")] if self.rule not in ("state_away", "test") else [])


def digest(parts: Sequence[Content]) -> Content:
    """Several notices as one, the oldest first; of the same ones it is the same. One alone stays what it is."""
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return first
    key, at = f"{first.key}.{len(parts)}.{last.key}", max(part.at for part in parts)
    began_at, text = min(part.began_at for part in parts), f"{len(parts)} notices, each of which follows"
    return Content(key, DIGEST, DIGEST, "janitor", text, began_at, at, first.host, parts=parts)


def to_json(content: Content) -> str:
    """The content as it is kept until it is delivered; a digest is made as it is sent."""
    values = {name: value for name, value in asdict(content).items() if name != "parts"}
    return json.dumps(values, default=lambda value: value.isoformat())


def from_json(text: str) -> Content:
    """What `to_json` was given, also by a release whose contents had more to them."""
    known = {field.name for field in fields(Content)}
    values = {name: value for name, value in json.loads(text).items() if name in known}
    for name in ("began_at", "at", "next_run_at"):
        values[name] = values[name] and datetime.fromisoformat(values[name])
    return Content(**values)


def as_text(content: Content) -> str:
    """For people who read plain text."""
    if content.parts:
        subjects = "".join(f"- {part.subject}\n" for part in content.parts)
        return "\n".join([subjects, *(f"{RULE}\n{part.subject}\n\n{as_text(part)}" for part in content.parts)])
    lines = [content.sentence, ""]
    lines += [f"{name}: {value}" for name, value in content.facts]
    lines += [f"{name}: {url}" for name, url in content.links]
    if content.error:
        lines += ["", "The error:", content.error]
    if content.log:
        lines += ["", f"The last {len(content.log)} lines of its log (UTC):", *content.log]
    return "\n".join(lines) + "\n"


def as_html(content: Content) -> str:
    """For people who read HTML; everything in it is escaped."""
    body = "<hr>".join(_html(part) for part in content.parts or (content,))
    subjects = "".join(f"<li>{escape(part.subject)}</li>" for part in content.parts)
    body = f"<ul>{subjects}</ul><hr>{body}" if subjects else body
    return f"<!doctype html><html><head><meta charset=utf-8></head><body>{body}</body></html>"


def _html(content: Content) -> str:
    rows = "".join(
        f"<tr><th align=left>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in content.facts
    )
    links = " &middot; ".join(f'<a href="{escape(url)}">{escape(name)}</a>' for name, url in content.links)
    parts = [f"<h3>{escape(content.subject)}</h3>", f"<p>{escape(content.sentence)}</p>", f"<table>{rows}</table>"]
    parts += [f"<p>{links}</p>"] if links else []
    parts += [f"<p>The error:</p><pre>{escape(content.error)}</pre>"] if content.error else []
    if content.log:
        lines = escape("\n".join(content.log))
        parts.append(f"<p>The last {len(content.log)} lines of its log (UTC):</p><pre>{lines}</pre>")
    return "".join(parts)


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
