"""Pages from templates: what every page has, and answers that lead back to a page with a sentence on it."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from functools import cache
from typing import Any
from urllib.parse import quote, unquote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from janitor import __version__
from janitor.logs.escapes import LAID_OUT, visible
from janitor.web import addresses
from janitor.web.queries.given import json_text
from janitor.web.words import amount, distance, duration, first_line, number, percent, sentence, words

FLASH = "janitor_flash"
"""The cookie that carries a sentence to the page after a redirect."""
FLASH_SECONDS = 60
MOST_FLASH, MOST_COOKIE = 600, 3_500
"""How many characters of that sentence are kept, and of the cookie that holds them."""
THEME = "janitor_theme"
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
"""The icon of each outcome."""
CONDITION_ICONS = {
    "overdue": "overdue",
    "failing": "cross",
    "running": "run",
    "fine": "check",
    "new": "",
    "paused": "pause",
    "disabled": "off",
}
LOOK_ICONS = {
    "ok": "check",
    "warning": "overdue",
    "error": "cross",
    "blocked": "stop",
    "left_out": "skip",
    "processing": "run",
    "waiting": "clock",
}
"""The icon of each look of an item's status."""


def render(request: Request, template: str, status_code: int = 200, **values: Any) -> HTMLResponse:
    """A page: a template with its values, and what every page has. A flash is shown once."""
    # Nobody sees what a script fetches in the background: the flash waits for the next page.
    flash = None if in_background(request) else _flash(request)
    common: dict[str, Any] = {
        "theme": _theme(request),
        "flash": flash,
        "version": __version__,
        "now": datetime.now(timezone.utc),
        "path": request.url.path,
        "user": None,
        "csrf": "",
        "open_notices": 0,
    }
    text = _environment().get_template(template).render(common | values)
    response = HTMLResponse(text, status_code)
    if flash is not None:
        response.delete_cookie(FLASH, path="/")
    return response


def markdown(text: str) -> Markup:
    """Markdown as HTML, safe to show: HTML in it is shown as text, links run no script, pictures become links."""
    # Imported here: few jobs have notes, and an idle daemon does without its megabytes.
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return Markup(reader.render(visible(text, keep=LAID_OUT))) if text.strip() else Markup("")


def in_background(request: Request) -> bool:
    """Whether a script asks, for a page that keeps itself up to date."""
    return request.headers.get("Sec-Fetch-Dest") == "empty"


def redirect(path: str, said: str, wrong: bool = False) -> Response:
    """Lead back to a page. The page then says in one sentence what was done, or why it was not done."""
    response = RedirectResponse(path, 303)
    response.set_cookie(
        FLASH, _cookie(said[:MOST_FLASH], wrong), max_age=FLASH_SECONDS, path="/", httponly=True, samesite="strict"
    )
    return response


def with_query(path: str, values: Mapping[str, Any]) -> str:
    """A path with a query of those values that are given."""
    given = {name: value for name, value in values.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(given)}" if given else path


def moment(at: datetime | None) -> Markup:
    """A moment as a <time>, UTC to the second; empty for None."""
    return Markup("") if at is None else _time(at, _utc(at))


def ago(at: datetime | None, now: datetime) -> Markup:
    """A moment as its distance from now, in a <time> whose title is the moment. A script keeps it up to date."""
    return Markup("") if at is None else _time(at, distance(at, now), Markup(" data-ago"))


def _time(at: datetime, text: str, more: Markup = Markup("")) -> Markup:
    iso = f"{at.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    return Markup('<time datetime="{}" title="{} UTC"{}>{}</time>').format(iso, _utc(at), more, text)


def _utc(at: datetime) -> str:
    return f"{at.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S}"


def _cookie(said: str, wrong: bool) -> str:
    """What is said, as a cookie; it is cut if a browser would not take it."""
    while len(text := quote(json.dumps({"text": said, "wrong": wrong}))) > MOST_COOKIE:
        said = said[: len(said) * 3 // 4].rstrip("\N{HORIZONTAL ELLIPSIS}") + "\N{HORIZONTAL ELLIPSIS}"
    return text


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


def _shown(value: Any) -> Any:
    """A value as a page shows it: what turns a text around, or steers a terminal that it is copied to, is an escape."""
    return visible(value, keep=LAID_OUT) if isinstance(value, str) and not isinstance(value, Markup) else value


def compiled() -> Iterator[str]:
    """Compile each template, one whenever the next is asked for; their names."""
    for name in _environment().list_templates():
        _environment().get_template(name)
        yield name


@cache
def _environment() -> Environment:
    """The templates; each is compiled when it is first asked for."""
    environment = Environment(
        loader=PackageLoader("janitor.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (moment, duration, number, words, first_line, amount, sentence, json_text, percent)
    environment.filters |= {one.__name__: one for one in filters}
    environment.globals |= {"ago": ago, "icons": ICONS, "condition_icons": CONDITION_ICONS, "look_icons": LOOK_ICONS}
    environment.globals |= {"of_pipeline": addresses.of_pipeline, "of_item": addresses.of_item}
    return environment
