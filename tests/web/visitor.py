"""A visitor of the dashboard without a browser: follows links, fills forms in, and keeps cookies."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from email.message import Message
from html.parser import HTMLParser
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from typing import IO, Any


@dataclass
class Form:
    """A form as a page has it: where it leads, the fields in it, and the words on its button."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    button: str = ""


class _Reader(HTMLParser):
    """Takes a page apart."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.forms: list[Form] = []
        self.words: list[str] = []
        self.links: list[tuple[str, str]] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember a tag, and what belongs to a form."""
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "form":
            self.forms.append(Form(given.get("action") or "", given.get("method") or "get"))
        elif tag == "input" and self.forms and given.get("name"):
            self.forms[-1].fields[given["name"] or ""] = given.get("value") or ""
        elif tag == "a":
            self.links.append((given.get("href") or "", ""))
        self._inside = tag if tag in ("button", "a") else self._inside

    def handle_endtag(self, tag: str) -> None:
        """A button or a link ends."""
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        """Remember what is said, and on what."""
        self.words.append(data)
        if self._inside == "button" and self.forms:
            self.forms[-1].button = " ".join(f"{self.forms[-1].button} {data}".split())
        elif self._inside == "a":
            href, words = self.links[-1]
            self.links[-1] = href, " ".join(f"{words} {data}".split())


@dataclass(frozen=True)
class Page:
    """What the server said."""

    status: int
    path: str
    text: str
    headers: Message

    @property
    def read(self) -> _Reader:
        """The page, taken apart."""
        reader = _Reader()
        reader.feed(self.text)
        return reader

    @property
    def words(self) -> str:
        """What a person reads, in one line."""
        return " ".join(" ".join(self.read.words).split())

    @property
    def flash(self) -> str:
        """What the page says of what was just done."""
        found = re.search(r'<p class="flash[^>]*>.*?<span>(.*?)</span>', self.text, re.DOTALL)
        return found[1] if found else ""

    def form(self, action: str, **fields: str) -> Form:
        """The first form that leads to `action`, with these hidden fields."""
        return next(
            form
            for form in self.read.forms
            if form.action == action and form.method == "post" and fields.items() <= form.fields.items()
        )

    def links(self, beginning: str) -> list[str]:
        """The addresses of its links, if they begin so."""
        return [href for href, _ in self.read.links if href.startswith(beginning)]

    def link(self, words: str) -> str | None:
        """The address of the link with these words, without the place on the page; None if there is no such link."""
        return next((href.partition("#")[0] for href, said in self.read.links if said == words), None)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Leads nowhere."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Leave a redirect to whoever asked."""


class Visitor:
    """Asks one dashboard for pages, as a browser does."""

    def __init__(self, address: str) -> None:
        """Nobody yet: `sign_in` makes somebody of it."""
        self.address = address
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self._plain = urllib.request.build_opener(_Stay, cookies)

    def get(self, path: str) -> Page:
        """Open a page, and go where it leads."""
        page = self._ask(urllib.request.Request(self.address + path, headers={"Accept": "text/html"}))
        return self.get(page.headers["Location"].partition("#")[0]) if page.status == 303 else page

    def post(self, path: str, **fields: str) -> Page:
        """Send fields, and go where the answer leads."""
        data = urllib.parse.urlencode(fields).encode()
        headers = {"Accept": "text/html", "Origin": self.address}
        page = self._ask(urllib.request.Request(self.address + path, data, headers))
        return self.get(page.headers["Location"].partition("#")[0]) if page.status == 303 else page

    def ask(self, method: str, path: str, body: object, token: str) -> tuple[int, Any]:
        """Send JSON as a script on a page does, with the token of its forms; the status and the JSON.

        A body of bytes is sent as it is.
        """
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "X-CSRF-Token": token, "Origin": self.address}
        page = self._ask(urllib.request.Request(self.address + path, data, headers, method=method))
        return page.status, json.loads(page.text)

    def submit(self, form: Form, **fields: str) -> Page:
        """Fill a form in, and press its button."""
        return self.post(form.action, **{**form.fields, **fields})

    def sign_in(self, user: str, password: str) -> Page:
        """Become somebody."""
        return self.submit(self.get("/sign-in").form("/sign-in"), user=user, password=password)

    def _ask(self, request: urllib.request.Request) -> Page:
        path = request.full_url.removeprefix(self.address)
        try:
            with self._plain.open(request, timeout=30) as answer:
                return Page(answer.status, path, answer.read().decode(), answer.headers)
        except urllib.error.HTTPError as exc:
            with exc:
                return Page(exc.code, path, exc.read().decode(), exc.headers)
