"""A column of a target table: which values fit into it, and what a value looks like once it is stored.

A value goes through three forms:

    given     2026-07-01 12:00 in London          as a task gives it
    prepared  2026-07-01 11:00, naive             UTC, at the column's own precision; `misfit` looks at it
    stored    as the driver reads it back         SQLite's driver gives instants as text
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal, get_args

from janitor.table_sink import charsets, exact

Row = tuple[Any, ...]
Plain = Literal["text", "integer", "date", "datetime", "unsupported"]
Exact = Literal["decimal", "double", "enum", "set", "binary", "bit", "time", "year", "uuid"]
Kind = Plain | Exact

TYPES: dict[Kind, tuple[type, str]] = {
    "text": (str, "text"),
    "integer": (int, "whole numbers"),
    "unsupported": (object, "something else"),
    "date": (date, "dates"),
    "datetime": (datetime, "instants"),
    "decimal": (Decimal, "decimal numbers"),
    "double": (float, "numbers"),
    "enum": (str, "one of its texts"),
    "set": (str, "some of its texts"),
    "binary": (bytes, "bytes"),
    "bit": (int, "whole numbers"),
    "time": (timedelta, "times"),
    "year": (int, "years"),
    "uuid": (str, "uuids"),
}
EXACT = frozenset(get_args(Exact))
"""The kinds of exact.py."""

INTEGER_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "integer": 32, "bigint": 64}

_NONE = type(None)


@dataclass(frozen=True)
class Column:
    """A column of a target, with the limits that the target states.

    `characters` and `octets` limit a text; None is no limit. `low` and `high` limit a number, date or instant.
    `digits` is how many digits an instant keeps of a second, or a decimal behind its point. `padded`: the column is a
    CHAR, which drops trailing spaces, or a BINARY, which adds zeros. `textual`: the database keeps instants as text.
    `members` are the texts of an ENUM or SET.
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
    members: tuple[str, ...] = ()

    def prepared(self, values: list[Any]) -> list[Any]:
        """The values in UTC, at the column's precision. A value of a wrong type stays as it is: `misfit` names it."""
        if self.kind in EXACT:
            return [exact.prepared(self, value) for value in values]
        if self.kind == "datetime":
            as_given = self.digits == 6
            return [v if type(v) is datetime and v.tzinfo is None and as_given else self._instant(v) for v in values]
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
            # MySQL rounds the further digits, MariaDB cuts them off. Cut here, they are the same on both.
            unit = 10 ** (6 - self.digits)
            value = value.replace(microsecond=value.microsecond // unit * unit)
        return value

    def takes_all(self, values: list[Any]) -> bool:
        """Whether all prepared values fit. It is quick; False means that `misfit` must look at each value."""
        if self.kind in EXACT:
            return all(self.misfit(value) is None for value in values)
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
        """Why a prepared value does not fit, in words; None if it fits."""
        if value is None:
            return None if self.nullable else f"{self.name} is missing (NULL), and the table needs it"
        expected, plural = TYPES[self.kind]
        if not isinstance(value, expected) or (self.kind == "date" and isinstance(value, datetime)):
            return f"{self.name} is {shown(value)} ({type(value).__name__}); the table holds {plural}"
        if self.kind == "text":
            return self._text_misfit(str(value))
        if self.kind in EXACT:
            return exact.misfit(self, value)
        if not self.low <= value <= self.high:
            return f"{self.name} {value} is outside what the table can hold, {self.low} to {self.high}"
        return None

    def _text_misfit(self, value: str) -> str | None:
        wrong = next((character for character in value if not charsets.holds(self.charset, character)), None)
        if wrong is not None:
            shown = f"{wrong!r} (U+{ord(wrong):04X})"
            return f"{self.name} contains {shown}, which the table's character set {self.charset} cannot hold"
        if self.characters is not None and len(value) > self.characters:
            return f"{self.name} has {len(value)} characters; the table holds at most {self.characters}"
        if self.octets is not None:
            octets = charsets.octets(self.charset, value)
            if octets > self.octets:
                return f"{self.name} has {octets} bytes; the table holds at most {self.octets}"
        return None

    def stored(self, values: list[Any]) -> list[Any]:
        """Prepared values as the driver reads them back."""
        if not self.textual or self.kind not in ("date", "datetime", "decimal", "time"):
            return values
        return [None if value is None else self.text(value) for value in values]

    def text(self, value: Any) -> str:
        """A value as the server writes it as text; None is not a value."""
        if self.kind in EXACT:
            return exact.text(self, value)
        if self.kind != "datetime":
            return str(value)
        if self.digits == 6:
            return str(value.isoformat(" ", "microseconds"))
        return str(value.isoformat(" ", "microseconds"))[: 19 + (self.digits + 1 if self.digits else 0)]

    def comparable(self, value: Any) -> Any:
        """A value from the database in a form that compares as older or newer; None if it has no such form."""
        if self.kind in ("date", "datetime") and isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return None
            return self._instant(value) if self.kind == "datetime" else value.date()
        if self.kind in ("decimal", "time") and isinstance(value, str):
            return exact.parsed(self, value)
        return value if isinstance(value, TYPES[self.kind][0]) else None

    def parsed(self, text: str) -> Any:
        """A value that is not NULL, in the form that is stored, from the text that `marked` made of it."""
        if self.kind == "text":
            return text[1:] if self.nullable else text
        if self.kind == "integer":
            return int(text)
        if self.kind in EXACT:
            texts = self.kind in ("enum", "set") and self.nullable
            return self.stored([exact.parsed(self, text[1:] if texts else text)])[0]
        value = datetime.fromisoformat(text) if self.kind == "datetime" else date.fromisoformat(text)
        return self.stored([value])[0]

    def marked(self, values: Sequence[Any]) -> list[str]:
        """Each value as the text that `row_texts.marked` makes a server write; NULL differs from every value."""
        if self.kind in ("text", "enum", "set"):
            return ["N" if v is None else "V" + v for v in values] if self.nullable else list(values)
        if self.kind == "integer" and None not in values:
            return list(map(str, values))
        if self.kind == "datetime" and self.digits == 6:
            return ["N" if v is None else v.isoformat(" ", "microseconds") for v in values]
        return ["N" if v is None else self.text(v) for v in values]


def integer_range(bits: int, unsigned: bool) -> tuple[int, int]:
    """The least and the greatest whole number that so many bits hold."""
    return (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def shown(value: Any) -> str:
    """A value in words, shortened."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
