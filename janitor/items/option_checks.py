"""What options may be: a value that makes no sense is refused where it is given, in one sentence."""

from collections.abc import Iterable

from janitor.errors import BadSetting

SHORTEST, LONGEST = 0.001, 7 * 86_400
"""Of options that say how long something may take, in seconds."""
LARGEST_TEXT = 1_000_000_000
"""Of options that say how many bytes something may have: servers keep no larger text."""


def check_whole(option: str, value: object, least: int, most: int) -> None:
    """Refuse what is no whole number from `least` to `most`.

    Raises:
        BadSetting: it is none.
    """
    if type(value) is not int or not least <= value <= most:
        raise BadSetting(option, value, f"give a whole number from {least:,} to {most:,}")


def check_seconds(option: str, value: object, least: float = SHORTEST) -> None:
    """Refuse what is no number of seconds from `least` to a week.

    Raises:
        BadSetting: it is none.
    """
    if type(value) not in (int, float) or not least <= value <= LONGEST:  # type: ignore[operator]
        raise BadSetting(option, value, f"give a number of seconds from {least:g} to {LONGEST:,}")


def check_texts(option: str, value: object) -> None:
    """Refuse what is no list of texts; one text alone would be taken for a list of its letters.

    Raises:
        BadSetting: it is none.
    """
    if isinstance(value, str) or not isinstance(value, Iterable) or not all(isinstance(one, str) for one in value):
        raise BadSetting(option, value, 'give a list of texts, such as ["one"]')
