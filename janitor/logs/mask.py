"""The mask: it replaces secrets in a text by `***`.

    known secrets   the settings that bear the mark, and what a jobs file took with `env()`   secret_forms.py
    unknown ones    what stands before the `@` of any URL: no secret need be known for that

    those of an item    while code works on it, and in what that logs and raises

A mask is live: what a jobs file takes from the environment later, at a reload, is masked from then on.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from janitor.logs.secret_forms import PASSWORD_IN_URL, forms_of, parts_of
from janitor.settings.settings import Settings

SHORTEST_SECRET = 4
"""A shorter secret is not masked: that would blot out ordinary words and numbers."""
SHORTEST_ANYWHERE = 6
"""A shorter secret is masked only if it stands by itself, not as a part of a longer word or number."""
COMMON_WORDS = frozenset({"true", "false", "none", "null"})
"""Words that every text is full of: they are not masked."""
MOST_DEEP, TOO_DEEP = 100, "..."
"""What lies deeper in a value is shown so: Python itself fails at some hundreds."""
SECRET_NAMES = ("PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY")
"""A variable whose name ends so holds a secret; a jobs file may hand it to a task."""
_EXAMPLE = "(?!user:password@host)"
"""What a sentence of ours gives as an example."""
_USERINFO = re.compile(
    # Up to the last @, as a password may have / ? # or @ in it.
    rf"""(?<!http)(?<!https)://{_EXAMPLE}[^\s/"<>][^\s"<>]*@"""
    rf"""|://{_EXAMPLE}[^\s/?#"<>]*@"""
    # The same in a web address, but not host:port/name@.
    rf"""|://{_EXAMPLE}[^\s/?#"<>@:]+:(?!\d{{1,5}}[/?#])[^\s"<>]*@"""
)
_RUN = re.compile(r"""[^\s"<>]++""")
_QUOTED_USERINFO = re.compile(r"""(%3A%2F%2F)[^\s"<>&]*?%40""", re.IGNORECASE)
_QUOTED_RUN = re.compile(r"""[^\s"<>&]++""")


class Mask:
    """Replaces secrets in a text by `***`: the last line of defence, for texts that others wrote."""

    def __init__(self, secrets: Iterable[str] = (), taken: Collection[str] = ()) -> None:
        """`secrets` as they are: their other forms and their parts are masked too. `taken` may grow later."""
        self._secrets, self._taken, self._size = tuple(secrets), taken, -1
        self._forms: list[str] = []
        self._words: re.Pattern[str] | None = None

    def __call__(self, text: str) -> str:
        """The text without secrets.

        Halves of characters become escapes too: neither files nor databases take them.
        """
        masked, more = self._masked(text), _hidden.get()
        return masked if more is None else more._masked(masked)

    def _masked(self, text: str) -> str:
        if len(self._taken) != self._size:
            self._learn()
        if not text.isascii():
            text = text.encode("utf-8", "backslashreplace").decode("utf-8")
        if "://" in text and "@" in text:
            text = _RUN.sub(_without_userinfo, text)
        if "%40" in text:
            text = _QUOTED_RUN.sub(_without_quoted_userinfo, text)
        for form in self._forms:
            if form in text:
                text = text.replace(form, "***")
        return text if self._words is None else self._words.sub("***", text)

    def value(self, value: Any, depth: int = 0) -> Any:
        """A value of JSON's kinds without secrets: texts, names and numbers in it; it stays a value of JSON.

        What lies deeper than a person would look is left out.
        """
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self(value)
        if isinstance(value, (Mapping, list, tuple)) and depth == MOST_DEEP:
            return TOO_DEEP
        if isinstance(value, Mapping):
            return {self(str(name)): self.value(part, depth + 1) for name, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(part, depth + 1) for part in value]
        said = str(value)
        return value if (masked := self(said)) == said else masked

    def json(self, text: str) -> str:
        """A JSON text without secrets; it stays JSON."""
        return json.dumps(self.value(json.loads(text)), ensure_ascii=False)

    def _learn(self) -> None:
        """Take in what was added to `taken`."""
        # The size is read first: what is added meanwhile is taken in by the next call.
        size, secrets = len(self._taken), [*self._secrets, *list(self._taken)]
        found = {form for secret in secrets for part in (secret, *parts_of(secret)) for form in forms_of(part)}
        kept = [form for form in found if len(form) >= SHORTEST_SECRET and form.lower() not in COMMON_WORDS]
        self._forms = sorted((form for form in kept if len(form) >= SHORTEST_ANYWHERE), key=len, reverse=True)
        short = [re.escape(form) for form in kept if len(form) < SHORTEST_ANYWHERE]
        self._words = re.compile(rf"(?<![^\W_])(?:{'|'.join(short)})(?![^\W_])") if short else None
        self._size = size


_hidden: ContextVar[Mask | None] = ContextVar("janitor_hidden", default=None)


@contextmanager
def hiding(secrets: Iterable[str]) -> Iterator[None]:
    """Let every mask mask these secrets too, for what is logged or raised in a block."""
    # Of a token such as `Bearer 8f3c...`, the longest word says as much as the whole.
    parts = [part for secret in secrets for part in {secret, max(secret.split(), key=len, default=secret)}]
    token = _hidden.set(Mask(parts) if parts else _hidden.get())
    try:
        yield
    finally:
        _hidden.reset(token)


# A pattern looks no further than to the last @ of a run. It would look through the rest of the text anew at each ://,
# and all threads would wait meanwhile: Python goes on in one thread only during a search.


def _without_userinfo(run: re.Match[str]) -> str:
    end = run[0].rfind("@") + 1
    # What follows tells whether it is the example.
    end = end and end + len("host")
    return _USERINFO.sub("://***@", run[0][:end]) + run[0][end:]


def _without_quoted_userinfo(run: re.Match[str]) -> str:
    end = run[0].rfind("%40") + 1
    end = end and end + len("40")
    return _QUOTED_USERINFO.sub(r"\1***%40", run[0][:end]) + run[0][end:]


def mask_for(settings: Settings) -> Mask:
    """A mask for every password, token and other secret in the settings, and for what a jobs file takes."""
    # As the variables have them: a character can be quoted in a URL in more than one way.
    written = [found[1] for value in settings.environ.values() if (found := PASSWORD_IN_URL.search(value))]
    others = {name: value for name, value in settings.environ.items() if name not in settings.known}
    named = [value for name, value in others.items() if name.endswith(("_PING_URL", *SECRET_NAMES))]
    return Mask([*written, *settings.secrets(), *named], settings.taken)
