"""The tables of the state database, each column with its type; what they mean stands on the page."""

from sqlalchemy import BigInteger, Boolean, Float, Integer, LargeBinary, String, Table, Text

from docs.marked import code, sections, sentence, table
from janitor.state.tables import Instant, Name, Words, metadata

TYPES = (
    (Instant, "instant"),
    (Text, "text"),
    (Boolean, "true or false"),
    (Float, "number"),
    ((Integer, BigInteger), "whole number"),
)


def tables(old: str) -> str:
    """A section for each table."""
    kept = sections(old)
    return "\n\n".join(_section(one, kept.get(one.name, "")) for one in metadata.tables.values())


def _section(one: Table, kept: str) -> str:
    rows = [(code(column.name), _type(column.type) + _notes(column)) for column in one.columns]
    text = "\n\n".join(part for part in (f"### {one.name}", sentence(kept)) if part)
    return f"{text}\n\n" + table(("column", "type", "meaning"), rows, kept)


def _notes(column: object) -> str:
    notes = []
    if getattr(column, "primary_key"):
        notes.append("key")
    if keys := getattr(column, "foreign_keys"):
        notes += [f"of {code(key.target_fullname)}" for key in keys]
    if getattr(column, "nullable"):
        notes.append("may be empty")
    return "".join(f", {note}" for note in notes)


def _type(kind: object) -> str:
    if isinstance(kind, LargeBinary):
        return f"{kind.length} bytes"
    if isinstance(kind, (String, Name)) and kind.length:
        return f"text of {kind.length}"
    if isinstance(kind, Words):
        return f"text of up to {kind.most:,} bytes"
    for known, words in TYPES:
        if isinstance(kind, known):
            return words
    raise LookupError(f"the reference has no word for the type {kind!r}: add it to TYPES")
