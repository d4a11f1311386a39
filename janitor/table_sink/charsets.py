"""Character sets of MySQL and MariaDB: which characters each holds, and in how many bytes."""

import codecs

_CODECS = {"utf8mb4": "utf-8", "utf8mb3": "utf-8", "utf8": "utf-8", "ucs2": "utf-16-be", "latin1": "cp1252"}
# What the servers call latin1 is cp1252. cp1252 leaves five bytes undefined; the servers keep these characters there.
_LATIN1_EXTRA = frozenset("\x81\x8d\x8f\x90\x9d")
_NO_ASTRAL = frozenset({"utf8mb3", "utf8", "ucs2"})


def known_charset(charset: str) -> bool:
    """Whether Python knows the character set, so that `holds` and `octets` can answer."""
    try:
        codecs.lookup(_codec(charset))
    except LookupError:
        return False
    return True


def holds(charset: str, character: str) -> bool:
    """Whether a character set has a character."""
    if character.isascii():
        return True
    if "\ud800" <= character <= "\udfff" or (character > "\uffff" and charset in _NO_ASTRAL):
        return False
    if charset == "latin1" and character in _LATIN1_EXTRA:
        return True
    try:
        character.encode(_codec(charset))
    except UnicodeEncodeError:
        return False
    return True


def octets(charset: str, text: str) -> int:
    """How many bytes a text takes in a character set that holds its characters."""
    return len(text.encode(_codec(charset), "replace"))


def _codec(charset: str) -> str:
    return _CODECS.get(charset, charset)
