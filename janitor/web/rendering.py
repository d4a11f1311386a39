"""Pages from templates: what each of them shows besides its own part, and times, numbers and outcomes in words."""

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, unquote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from janitor import __version__
from janitor.web.markup import Html, filled
from janitor.web.queries.given import json_text

FLASH = "janitor_flash"
THEME = "janitor_theme"
FLASH_SECONDS = 60
MOST_FLASH = 600
ICONS = {
    "succeeded": "check",
    "failed": "cross",
    "timed_out": "clock",
    "skipped": "skip",
    "missed": "missed",
    "cancelled": "stop",
    "interrupted": "bolt",
    "running": "run",
}
CONDITION_ICONS = {
    "overdue": "overdue",
    "failing": "cross",
    "running": "run",
    "fine": "check",
    "new": "",
    "paused": "pause",
    "disabled": "off",
}


def render(request: Request, template: str, status_code: int = 200, **values: Any) -> HTMLResponse:
    """A page: a template with its values, and what every page has; a flash message is shown once."""
    # What a script fetches in the background nobody may ever see.
    flash = None if in_background(request) else _flash(request)
    common: dict[str, Any] = {
        "theme": _theme(request),
        "flash": flash,
        "version": __version__,
        "now": datetime.now(timezone.utc),
    }
    common |= {"path": request.url.path, "user": None, "csrf": "", "open_notices": 0}
    text = _environment().get_template(template).render(common | values)
    response = HTMLResponse(text, status_code)
    if flash is not None:
        response.delete_cookie(FLASH, path="/")
    return response


def markdown(text: str) -> Html:
    """Markdown as HTML; HTML in it is shown as it is written, links run no script, and pictures are links."""
    # Imported where it is used: few jobs have notes, and each megabyte of an idle daemon counts.
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return Html(reader.render(text)) if text.strip() else Html("")


def in_background(request: Request) -> bool:
    """Whether a script asks, for a page that keeps itself up to date."""
    return request.headers.get("Sec-Fetch-Dest") == "empty"


def redirect(path: str, said: str, wrong: bool = False) -> Response:
    """Lead back to a page, which then says one sentence: what was done, or why it was not."""
    response = RedirectResponse(path, 303)
    text = quote(json.dumps({"text": said[:MOST_FLASH], "wrong": wrong}))
    response.set_cookie(FLASH, text, max_age=FLASH_SECONDS, path="/", httponly=True, samesite="strict")
    return response


def with_query(path: str, values: Mapping[str, Any], **changed: Any) -> str:
    """A path with a query of those values that are given; `changed` ones take the place of others."""
    given = {name: value for name, value in {**values, **changed}.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(given)}" if given else path


def moment(at: datetime | None) -> Html:
    """A moment as a <time>: UTC to the second; a script may show beside it how long ago that is."""
    if at is None:
        return Html("")
    utc = at.astimezone(timezone.utc)
    text = f"{utc:%Y-%m-%d %H:%M:%S}"
    return filled('<time datetime="{}" title="{} UTC">{}</time>', f"{utc:%Y-%m-%dT%H:%M:%SZ}", text, text)


def ago(at: datetime | None, now: datetime) -> Html:
    """A moment as how long ago, or how soon, it is; the moment itself is its title, and kept up to date by a script."""
    if at is None:
        return Html("")
    utc = at.astimezone(timezone.utc)
    iso, text = f"{utc:%Y-%m-%dT%H:%M:%SZ}", f"{utc:%Y-%m-%d %H:%M:%S}"
    return filled('<time datetime="{}" title="{} UTC" data-ago>{}</time>', iso, text, distance(at, now))


def distance(at: datetime, now: datetime) -> str:
    """How far a moment is from another, in words: `3 min ago`, `in 2 h`."""
    seconds = (now - at).total_seconds()
    if abs(seconds) < 1.5:
        return "now"
    words = duration(abs(seconds), short=True)
    return f"{words} ago" if seconds > 0 else f"in {words}"


def duration(seconds: float | None, short: bool = False) -> str:
    """A duration for people: 40 ms, 1.3 s, 2 min 5 s, 3 h 10 min, 2 d 4 h; `short` keeps the first part."""
    if seconds is None:
        return ""
    if seconds < 0.9995 and not short:
        return f"{seconds * 1000:.0f} ms" if seconds == 0 or seconds >= 0.0005 else "under 1 ms"
    if seconds < 60:
        return f"{seconds:.0f} s" if short or seconds >= 9.95 else f"{seconds:.1f} s"
    for (unit, size), (lesser, part) in (
        (("d", 86400), ("h", 3600)),
        (("h", 3600), ("min", 60)),
        (("min", 60), ("s", 1)),
    ):
        if seconds >= size:
            rest = int(seconds % size // part)
            return f"{int(seconds // size)} {unit}" + (f" {rest} {lesser}" if rest and not short else "")
    return f"{seconds:.0f} s"


def number(value: object) -> str:
    """A count with separators of thousands; what is no number stays as it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def amount(value: float) -> str:
    """How much is done, in whatever unit a task counts in: 1,234 or 0.5."""
    return f"{int(value):,}" if value == int(value) else f"{value:,.4g}"


def sentence(text: str) -> str:
    """A text that begins with a capital letter."""
    return text[:1].upper() + text[1:]


def words(name: str | None) -> str:
    """A name of the program as a person reads it: `timed_out` is `timed out`."""
    return (name or "").replace("_", " ")


def first_line(text: str | None, most: int = 160) -> str:
    """The first line of a text, cut where it is long."""
    line = next(iter((text or "").strip().splitlines()), "")
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _flash(request: Request) -> dict[str, Any] | None:
    try:
        said = json.loads(unquote(request.cookies.get(FLASH, "")))
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("text"), str):
        return None
    return {"text": said["text"][:MOST_FLASH], "wrong": bool(said.get("wrong"))}


def _theme(request: Request) -> str:
    theme = request.cookies.get(THEME, "")
    return theme if theme in ("light", "dark") else ""


_made: list[Environment] = []


def _environment() -> Environment:
    """The templates, read when the first page is asked for."""
    if not _made:
        environment = Environment(
            loader=PackageLoader("janitor.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {"moment": moment, "duration": duration, "number": number, "words": words}
        environment.filters |= {"first_line": first_line, "amount": amount, "sentence": sentence}
        environment.filters |= {"json_text": json_text}
        environment.globals |= {"ago": ago, "icons": ICONS, "condition_icons": CONDITION_ICONS}
        _made.append(environment)
    return _made[0]
