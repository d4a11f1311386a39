"""The forms in which a secret may stand in a text: in URLs, in JSON, in Python's own words, and in parts.

sesame/seed    sesame%2Fseed  (URL)    "sesame\\/seed" (JSON)    a key of several lines: each line by itself
{"key": "x"}   the texts in it         a,b,c: each part          https://me:word@host: the word
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus, unquote

SHORTEST_PART = 8
"""A shorter part of a secret is hardly a secret by itself."""
SHORTEST_PATH = 16
"""A shorter path of a webhook's address is not a secret by itself."""
BLOCK, MOST_OF_AN_END = 16, 128
"""In blocks of so many characters a cut secret is found, within so many at its beginning and at its end."""
PASSWORD_IN_URL = re.compile(r"^[\w+.-]+://[^/:@]*:(.+)@")
_BETWEEN_PARTS = re.compile(r"[\r\n,;]+")


def forms_of(secret: str) -> set[str]:
    """A secret as it is, on one line, in a URL, in JSON, and as Python shows it."""
    shown = {secret, " ".join(secret.split()), secret.strip()}
    # SQLAlchemy leaves blanks and plus signs in a URL as they are.
    shown |= {quote(secret), quote(secret, safe=""), quote(secret, safe=" +"), quote_plus(secret)}
    shown |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    shown |= {form.replace("'", "''") for form in shown}  # as YAML quotes it
    return shown | {form.replace("\\", "\\\\") for form in shown}


def parts_of(secret: str) -> Iterator[str]:
    """The parts of a secret that a text may tell by themselves."""
    if secret.startswith(("http://", "https://")):
        path = secret.split("://", 1)[1].partition("/")[2]
        yield from (path,) if len(path) >= SHORTEST_PATH else ()
    if found := PASSWORD_IN_URL.search(secret):
        yield from (found[1], unquote(found[1]))
    for part in (*_BETWEEN_PARTS.split(secret), *_texts_in_json(secret)):
        if len(part.strip()) >= SHORTEST_PART:
            yield part.strip()
    yield from _blocks(secret)


def _blocks(secret: str) -> Iterator[str]:
    """The beginning and the end of a long secret, in blocks: a text that is cut shows a part of it."""
    if len(secret) < 2 * BLOCK:
        return
    head, tail = secret[:MOST_OF_AN_END], secret[-MOST_OF_AN_END:]
    yield from (head[at : at + BLOCK] for at in range(0, len(head) - BLOCK + 1, BLOCK))
    yield from (tail[at - BLOCK : at] for at in range(len(tail), BLOCK - 1, -BLOCK))


def _texts_in_json(secret: str) -> Iterator[str]:
    """The texts in a JSON object or list: a file of credentials often is one."""
    if not secret.lstrip().startswith(("{", "[")):
        return
    try:
        yield from _texts(json.loads(secret))
    except (ValueError, RecursionError):
        return


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
