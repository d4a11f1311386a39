"""True and false as people write them in variables and URLs."""

_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")


def truth(text: str) -> bool | None:
    """Whether a text says true or false; None if it says neither."""
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None
