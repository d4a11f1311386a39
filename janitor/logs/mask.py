"""The mask: it replaces secrets in a text by `***`."""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from janitor.settings.settings import Settings

SHORTEST_SECRET = 6
"""A shorter password is not masked: that would blot out ordinary words."""
SHORTEST_PATH = 16
"""A shorter path of a webhook's address is not masked by itself: it is hardly a secret."""
SECRET_NAMES = ("PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY")
"""A variable whose name ends so holds a secret; a jobs file may hand it to a task."""
_PASSWORD_IN_URL = re.compile(r"^[\w+]+://[^/:@]*:(.+)@")


class Mask:
    """Replaces secrets in a text by `***`: the last line of defence, for texts that others wrote."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """`secrets` as they are: their quoted forms are masked too."""
        forms = (_forms(secret) for secret in secrets if len(secret) >= SHORTEST_SECRET)
        self._forms = sorted(set().union(*forms), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without secrets.

        Halves of characters become escapes too: neither files nor databases take them.
        """
        if not text.isascii():
            text = text.encode("utf-8", "backslashreplace").decode("utf-8")
        for form in self._forms:
            if form in text:
                text = text.replace(form, "***")
        return text


def _forms(secret: str) -> set[str]:
    """A secret as it is, in a URL, in JSON, and as Python shows it."""
    # SQLAlchemy leaves blanks and plus signs in a URL as they are.
    shown = {secret, quote(secret), quote(secret, safe=""), quote(secret, safe=" +"), quote_plus(secret)}
    shown |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return shown | {form.replace("\\", "\\\\") for form in shown}


def mask_for(settings: Settings) -> Mask:
    """A mask for every password, token and other secret in the settings."""
    # As the variables have them: a character can be quoted in a URL in more than one way.
    written = [found[1] for value in settings.environ.values() if (found := _PASSWORD_IN_URL.search(value))]
    named = [value for name, value in settings.environ.items() if name.endswith(("_PING_URL", *SECRET_NAMES))]
    secrets = [*settings.secrets(), *named]
    paths = [path for secret in secrets if len(path := _path(secret)) >= SHORTEST_PATH]
    return Mask([*written, *secrets, *paths])


def _path(secret: str) -> str:
    """The secret part of a webhook's address, which a text may tell by itself; empty for other secrets."""
    return secret.split("://", 1)[1].partition("/")[2] if secret.startswith(("http://", "https://")) else ""
