"""A notice for people, as plain text and as HTML."""

from html import escape

from janitor.logs.escapes import LAID_OUT, visible
from janitor.notices.content import Content

RULE = "-" * 60
"""The line between the notices of a digest."""


def as_text(content: Content) -> str:
    """Render a notice as plain text; a digest begins with the list of its subjects."""
    return visible(_as_text(content), keep=LAID_OUT)


def _as_text(content: Content) -> str:
    if content.parts:
        subjects = "".join(f"- {part.subject}\n" for part in content.parts)
        return "\n".join([subjects, *(f"{RULE}\n{part.subject}\n\n{_as_text(part)}" for part in content.parts)])
    lines = [
        content.sentence,
        "",
        *(f"{name}: {value}" for name, value in content.facts),
        *(f"{name}: {url}" for name, url in content.links),
        *(["", "The error:", content.error] if content.error else []),
        *(["", _log_heading(content), *content.log] if content.log else []),
    ]
    return "\n".join(lines) + "\n"


def as_html(content: Content) -> str:
    """Render a notice as an HTML page. Every text in it is escaped."""
    body = "<hr>".join(_one_as_html(part) for part in content.parts or (content,))
    subjects = "".join(f"<li>{escape(part.subject)}</li>" for part in content.parts)
    body = f"<ul>{subjects}</ul><hr>{body}" if subjects else body
    whole = f"<!doctype html><html><head><meta charset=utf-8></head><body>{body}</body></html>"
    return visible(whole, keep=LAID_OUT)


def _one_as_html(content: Content) -> str:
    rows = "".join(
        f"<tr><th align=left>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in content.facts
    )
    links = " &middot; ".join(f'<a href="{escape(url)}">{escape(name)}</a>' for name, url in content.links)
    log = escape("\n".join(content.log))
    parts = [
        f"<h3>{escape(content.subject)}</h3>",
        f"<p>{escape(content.sentence)}</p>",
        f"<table>{rows}</table>",
        f"<p>{links}</p>" if links else "",
        f"<p>The error:</p><pre>{escape(content.error)}</pre>" if content.error else "",
        f"<p>{_log_heading(content)}</p><pre>{log}</pre>" if log else "",
    ]
    return "".join(parts)


def _log_heading(content: Content) -> str:
    return f"The last {len(content.log)} lines of its log (UTC):"
