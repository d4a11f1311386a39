"""Texts that break careless code, chosen at random."""

import random

SHORT = (
    "",
    "'",
    '"',
    "\\",
    "\\'",
    "\\\\",
    "\\n",
    "%",
    "%s",
    "%(name)s",
    ":name",
    "?",
    ";",
    "--",
    "/*",
    "`",
    "{}",
    "[null]",
    "NULL",
    "None",
    "N",
    "V",
    "0",
    "\x00",
    "\x01",
    "\x08",
    "\t",
    "\n",
    "\r\n",
    "\x1a",
    "\x1b[31m",
    "\x1e",
    "\x1f",
    "\x1e\x1f",
    "\x7f",
    " ",
    "a ",
    "x  ",
    "\u00a0",
    "\u00df",
    "\u00e9",
    "\u00ff",
)
"""Pieces that even latin1 holds."""
CP1252 = ("\u20ac", "\u0160", "\u201c\u201d", "\u2026")
"""Pieces that the servers' latin1 holds, but not the standard's."""
WIDE = ("\u2028", "\u2029", "\ufeff", "\u200d", "e\u0301", "\u05d0\u202e", "\u4e2d\u6587", "\ufffd", "\uffff")
"""Pieces that utf8mb3 holds, but not latin1."""
ASTRAL = ("\U0001f9ec", "\U0001f469\u200d\U0001f52c", "\U0010ffff")
"""Pieces that only utf8mb4 holds."""
OF = {"latin1": SHORT + CP1252, "utf8mb3": SHORT + CP1252 + WIDE, "utf8mb4": SHORT + CP1252 + WIDE + ASTRAL}


def text(chance: random.Random, charset: str, longest: int = 255, before: str = "") -> str:
    """Make a text of a few hostile pieces, now and then as long as possible; it begins with `before`."""
    pieces = OF[charset]
    found = before + "".join(chance.choice(pieces) for _ in range(chance.choice((1, 1, 2, 5))))
    if chance.random() < 0.15:
        found += chance.choice([piece for piece in pieces if len(piece) == 1]) * longest
    return found[:longest]


def maybe(chance: random.Random, value: str, often: float = 0.12) -> str | None:
    """Return the text, or now and then None."""
    return None if chance.random() < often else value
