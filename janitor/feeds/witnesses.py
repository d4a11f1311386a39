"""Witnesses: by them a feed notices that its table went backwards.

    top          the highest id that was taken; the table must not end below it
    witnesses    the last rows that were taken, each with a digest of its fixed columns; they must be as they were

A restored backup ends below the top. Once enough new rows have come it ends above the top again, and has given ids to
other rows than those that were read: only the witnesses tell that. A replica that lags ends below the top for a while.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Row

from janitor.errors import Rejected
from janitor.feeds.position import Position, Witness

MOST_WITNESSES = 3
"""The top is among them. The others speak if its row was deleted."""


def of_rows(rows: Iterable[Row[Any]], fixed: Sequence[str]) -> Iterator[Witness]:
    """Make a witness of each row, by the columns that never change in a row; the id is the first column."""
    for row in rows if fixed else ():
        values = "\n".join(str(getattr(row, name)) for name in fixed)
        yield Witness(row[0], hashlib.blake2b(values.encode(), digest_size=8).hexdigest())


def newest(witnesses: Iterable[Witness]) -> tuple[Witness, ...]:
    """Those with the highest ids, as many as a position keeps; of an id the last."""
    return tuple(sorted({one.id: one for one in witnesses}.values()))[-MOST_WITNESSES:]


def check_end(position: Position, end: int | None, where: str, name: str) -> None:
    """Make sure that a table does not end below what was read; `end` is its highest id, None if it is empty.

    Raises:
        Rejected: it does; the error says which ids, what that may mean, and the ways on.
    """
    if (min(0, position.mark) if end is None else end) < position.top:
        said = "has no row now" if end is None else f"ends at id {end} now"
        raise Rejected(
            f"{where} {said}, and was read up to id {position.top} already: a backup was restored there, or it is a "
            f"replica that lags. Nothing was taken. {_ways_on(name)}"
        )


def check_witnesses(position: Position, found: Iterable[Witness], where: str, name: str) -> None:
    """Make sure that the rows read last are as they were; a row that was deleted says nothing.

    Raises:
        Rejected: an id has another row now.
    """
    known = {one.id: one for one in position.witnesses}
    for witness in found:
        if known.get(witness.id, witness) != witness:
            raise Rejected(
                f"{where} has another row at id {witness.id} than the row that was read: a backup was restored there, "
                f"and its ids were given anew. Nothing was taken. {_ways_on(name)}"
            )


def _ways_on(name: str) -> str:
    return (
        "If it lags, a later run goes on by itself. Else go on after the last id that is as it was "
        f"(`cursor {name} --set ID`), or begin anew (`cursor {name} --set start`)"
    )
