"""The columns of a target table: what fits into them, and what a value looks like once it is stored."""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from functools import cached_property
from typing import Any, Literal

BETWEEN_VALUES, BETWEEN_ROWS = "\x1f", "\x1e"
"""What stands between the values of a row, and between rows, where a server joins them into one text."""

Row = tuple[Any, ...]
Kind = Literal["text", "integer", "date", "datetime", "unsupported"]

TYPES: dict[Kind, tuple[type, str]] = {
    "text": (str, "text"),
    "integer": (int, "whole numbers"),
    "unsupported": (object, "something else"),
    "date": (date, "dates"),
    "datetime": (datetime, "instants"),
}

INTEGER_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "integer": 32, "bigint": 64}

_NONE = type(None)
_CODECS = {"utf8mb4": "utf-8", "utf8mb3": "utf-8", "utf8": "utf-8", "ucs2": "utf-16-be", "latin1": "cp1252"}
# The servers call cp1252 latin1, and let the five bytes that cp1252 leaves undefined stand for these.
_LATIN1_EXTRA = frozenset("\x81\x8d\x8f\x90\x9d")
_NO_ASTRAL = frozenset({"utf8mb3", "utf8", "ucs2"})


@dataclass(frozen=True)
class Column:
    """One column of a target, with the limits that the target itself states.

    `characters` and `octets` are the longest text; `low` and `high` the range of a number, date or instant;
    `digits` the digits of a second that an instant keeps. `padded` is a CHAR, which drops trailing spaces;
    `textual` a database that keeps dates and instants as text.
    """

    name: str
    kind: Kind
    nullable: bool
    declared: str
    characters: int | None = None
    octets: int | None = None
    charset: str = "utf8mb4"
    collation: str = ""
    low: Any = None
    high: Any = None
    digits: int = 6
    padded: bool = False
    textual: bool = False

    def prepared(self, values: list[Any]) -> list[Any]:
        """The values at the column's own precision; those of a wrong type stay as they are, for `misfit` to name."""
        if self.kind == "datetime":
            whole = self.digits == 6
            return [
                one if type(one) is datetime and one.tzinfo is None and whole else self._instant(one) for one in values
            ]
        if self.padded:
            return [value.rstrip(" ") if isinstance(value, str) else value for value in values]
        if self.kind == "integer" and bool in set(map(type, values)):
            return [int(value) if isinstance(value, bool) else value for value in values]
        return values

    def _instant(self, value: Any) -> Any:
        if not isinstance(value, datetime):
            return value
        if value.tzinfo is not None:
            value = value.astimezone(timezone.utc).replace(tzinfo=None)
        if self.digits < 6 and value.microsecond:
            # MySQL rounds what MariaDB cuts off; cut here, both store the same.
            unit = 10 ** (6 - self.digits)
            value = value.replace(microsecond=value.microsecond // unit * unit)
        return value

    def takes_all(self, values: list[Any]) -> bool:
        """Whether all prepared values certainly fit: quick, and False where only `misfit` can tell."""
        kinds = set(map(type, values))
        if _NONE in kinds:
            if not self.nullable:
                return False
            values = [value for value in values if value is not None]
            kinds.discard(_NONE)
        if not values:
            return True
        if kinds != {TYPES[self.kind][0]}:
            return False
        if self.kind != "text":
            return bool(self.low <= min(values) and max(values) <= self.high)
        longest = max(map(len, values))
        if self.characters is not None and longest > self.characters:
            return False
        return (self.octets is None or longest <= self.octets) and "".join(values).isascii()

    def misfit(self, value: Any) -> str | None:
        """Why a prepared value does not fit, in words; None where it fits."""
        if value is None:
            return None if self.nullable else f"{self.name} is missing (NULL), and the table needs it"
        expected, plural = TYPES[self.kind]
        if not isinstance(value, expected) or (self.kind == "date" and isinstance(value, datetime)):
            return f"{self.name} is {_shown(value)} ({type(value).__name__}), where the table holds {plural}"
        if self.kind == "text":
            return self._text_misfit(str(value))
        if not self.low <= value <= self.high:
            return f"{self.name} {value} is outside what the table can hold, {self.low} to {self.high}"
        return None

    def _text_misfit(self, value: str) -> str | None:
        wrong = next((one for one in value if not _holds(self.charset, one)), None)
        if wrong is not None:
            shown = f"{wrong!r} (U+{ord(wrong):04X})"
            return f"{self.name} contains {shown}, which the table's character set {self.charset} cannot hold"
        if self.characters is not None and len(value) > self.characters:
            return f"{self.name} has {len(value)} characters, where the table holds at most {self.characters}"
        if self.octets is not None:
            octets = len(value.encode(_CODECS.get(self.charset, self.charset), "replace"))
            if octets > self.octets:
                return f"{self.name} has {octets} bytes, where the table holds at most {self.octets}"
        return None

    def stored(self, values: list[Any]) -> list[Any]:
        """Prepared values in the form in which the driver gives them back."""
        if not self.textual or self.kind not in ("date", "datetime"):
            return values
        return [None if value is None else self.text(value) for value in values]

    def text(self, value: Any) -> str:
        """One value that is not None as the text that the server makes of it."""
        if self.kind != "datetime":
            return str(value)
        if self.digits == 6:
            return str(value.isoformat(" ", "microseconds"))
        return str(value.isoformat(" ", "microseconds"))[: 19 + (self.digits + 1 if self.digits else 0)]

    def comparable(self, value: Any) -> Any:
        """A value as it came from the database, as one that can be told older or newer; None where it cannot."""
        if self.kind in ("date", "datetime") and isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return None
            return self._instant(value) if self.kind == "datetime" else value.date()
        return value if isinstance(value, TYPES[self.kind][0]) else None

    def marked(self, values: Sequence[Any]) -> list[str]:
        """Each value as text in which NULL differs from every value, as `MySqlTable` makes the server write it."""
        if self.kind == "text":
            return ["N" if v is None else "V" + v for v in values] if self.nullable else list(values)
        if self.kind == "integer" and None not in values:
            return list(map(str, values))
        if self.kind == "datetime" and self.digits == 6:
            return ["N" if v is None else v.isoformat(" ", "microseconds") for v in values]
        return ["N" if v is None else self.text(v) for v in values]


@dataclass(frozen=True)
class Layout:
    """What a sink knows of its target.

    `columns` are those that are compared, in the order of a row: the sink's own, then the `owner`'s. `walk` is the
    column in whose order the whole table is walked; `created` and `updated` receive the moment of writing.
    """

    table: str
    key: str
    columns: tuple[Column, ...]
    owner: tuple[str, ...]
    walk: str
    created: Column | None
    updated: Column | None

    @cached_property
    def key_at(self) -> int:
        """The position of the key in a row."""
        return [column.name for column in self.columns].index(self.key)

    @property
    def own(self) -> tuple[Column, ...]:
        """The columns without the owner's."""
        return self.columns[: len(self.columns) - len(self.owner)]

    def key_in(self, row: str) -> Any:
        """The key in the text of a row."""
        key = row.split(BETWEEN_VALUES, self.key_at + 1)[self.key_at]
        return int(key) if self.key_column.kind == "integer" else key

    @property
    def key_column(self) -> Column:
        """The key's column."""
        return self.columns[self.key_at]


def _holds(charset: str, character: str) -> bool:
    if character.isascii():
        return True
    if "\ud800" <= character <= "\udfff" or (character > "\uffff" and charset in _NO_ASTRAL):
        return False
    if charset == "latin1" and character in _LATIN1_EXTRA:
        return True
    try:
        character.encode(_CODECS.get(charset, charset))
    except UnicodeEncodeError:
        return False
    return True


def integer_range(bits: int, unsigned: bool) -> tuple[int, int]:
    """The least and the greatest whole number of so many bits."""
    return (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def known_charset(charset: str) -> bool:
    """Whether Janitor can tell which characters a server's character set holds."""
    try:
        codecs.lookup(_CODECS.get(charset, charset))
    except LookupError:
        return False
    return True


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
