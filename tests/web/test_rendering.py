"""Pages from templates: what they say once, how they show moments, and that Markdown runs no script."""

from datetime import datetime, timedelta, timezone
from http.cookies import SimpleCookie
from typing import Any

import pytest
from fastapi import Request
from fastapi.responses import Response

from janitor.web.rendering import FLASH, MOST_FLASH, ago, markdown, moment, redirect, render, with_query

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
VALUES: dict[str, Any] = {"title": "Refused", "sentence": "no", "status": 403, "signs_in": False}


def asked(**headers: str) -> Request:
    """A request for a page."""
    sent = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/jobs", "query_string": b"", "headers": sent})


def said(answer: Response) -> str:
    """The cookie that an answer sets, as a browser sends it back."""
    return f"{FLASH}={SimpleCookie(answer.headers['Set-Cookie'])[FLASH].value}"


def text_of(page: Response) -> str:
    """The HTML of a page."""
    return bytes(page.body).decode()


def test_the_next_page_says_once_what_was_done() -> None:
    answer = redirect("/jobs", "tick; is <b>paused</b>, “ü”")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/jobs")
    page = render(asked(Cookie=said(answer)), "error.html", 403, **VALUES)
    assert page.status_code == 403 and "tick; is &lt;b&gt;paused&lt;/b&gt;, “ü”" in text_of(page)
    assert "Max-Age=0" in page.headers["Set-Cookie"]
    assert "Set-Cookie" not in render(asked(), "error.html", **VALUES).headers


def test_a_page_in_the_background_leaves_the_flash_for_later() -> None:
    sent = {"Cookie": said(redirect("/jobs", "tick is paused")), "Sec_Fetch_Dest": "empty"}
    page = render(asked(**sent), "error.html", **VALUES)
    assert "tick is paused" not in text_of(page) and "Set-Cookie" not in page.headers


def test_a_flash_that_is_odd_or_long_breaks_no_page() -> None:
    for odd in ("%7B", "7", "%7B%22text%22%3A%207%7D"):
        page = text_of(render(asked(Cookie=f"{FLASH}={odd}"), "error.html", **VALUES))
        assert "<h1" in page and 'class="flash' not in page, odd
    page = text_of(render(asked(Cookie=said(redirect("/", "x" * 2_000, wrong=True))), "error.html", **VALUES))
    assert "x" * MOST_FLASH in page and "x" * (MOST_FLASH + 1) not in page


@pytest.mark.parametrize("text", ["é" * 2_000, "\U0001f600" * 2_000, "\ud800" * 2_000])
def test_a_long_flash_of_any_characters_fits_a_cookie(text: str) -> None:
    cookie = said(redirect("/", text))
    assert len(cookie) < 4_000
    page = text_of(render(asked(Cookie=cookie), "error.html", **VALUES))
    assert "\N{HORIZONTAL ELLIPSIS}" in page and 'class="flash' in page


def test_markdown_runs_no_script_and_loads_no_picture() -> None:
    html = markdown("**bold** <script>x()</script> [odd](javascript:x()) [good](https://example.org) ![p](/p.png)")
    assert "<strong>bold</strong>" in html and '<a href="https://example.org">good</a>' in html
    assert "<script" not in html and "<img" not in html and 'href="javascript' not in html
    assert "<td>1</td>" in markdown("| a |\n|---|\n| 1 |")
    assert markdown(" \n") == ""


def test_moments_are_told_in_utc_and_as_distances() -> None:
    local = NOON.astimezone(timezone(timedelta(hours=2)))
    told = 'datetime="2026-03-02T12:00:00Z" title="2026-03-02 12:00:00 UTC"'
    assert moment(local) == f"<time {told}>2026-03-02 12:00:00</time>"
    assert ago(local, NOON + timedelta(minutes=5)) == f"<time {told} data-ago>5 min ago</time>"
    assert moment(None) == ago(None, NOON) == ""


def test_a_query_holds_only_what_is_given() -> None:
    values = {"tag": "odd & tag", "offset": 50, "job": None, "outcome": "", "whole": False}
    assert with_query("/jobs", values) == "/jobs?tag=odd+%26+tag&offset=50"
    assert with_query("/jobs", {"tag": ""}) == "/jobs"
