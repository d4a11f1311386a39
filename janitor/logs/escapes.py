"""Escapes: characters that steer a terminal or turn a text around are shown as what they are.

"\\x1b]0;X\\x07"    a terminal would take it for its title    shown as \\x1b]0;X\\x07
U+202E             what follows would be read backwards      shown as \\u202e
"""

import re

_STEERING = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f"  # control characters
    "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069"  # which way a text runs
    "\\u2028\\u2029\\ufeff\\ufff9-\\ufffb"  # line ends, and marks that nobody sees
    "\\U000e0000-\\U000e007f\\ud800-\\udfff]"  # tags, and halves of characters
)
LAID_OUT = "\n\t"
"""What stays in a text of several lines."""
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str, keep: str = "") -> str:
    """The text with an escape in the place of each character that steers; characters in `keep` stay."""
    if text.isprintable():
        return text
    return _STEERING.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
