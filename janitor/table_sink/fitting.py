"""Fitting rows to a table: which rows fit, in the form that is stored; and which do not, and why."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from janitor.errors import BadSetting
from janitor.table_sink.column import Row
from janitor.table_sink.layout import Layout
from janitor.table_sink.plan import Refused

Values = list[list[Any]]
"""The values of each column: column by column, since Python is faster so than row by row."""


def fit(rows: list[Row], layout: Layout, fixed: Mapping[str, Any]) -> tuple[list[Row], list[Refused]]:
    """The rows that fit, and the rows that do not.

    Rows that fit have the fixed values added, of the last columns, and are as the driver reads them back.

    Raises:
        BadSetting: a row is no sequence of values, or has another number of them than the sink has columns.
    """
    columns = layout.columns
    _check_shape(rows, layout, len(columns) - len(fixed))
    values = [column.prepared(list(part)) for column, part in zip(columns, zip(*rows, strict=True))]
    refused: list[Refused] = []
    if not all(column.takes_all(part) for column, part in zip(columns, values)):
        values, refused = _without_misfits(values, layout)
    for column, value in zip(columns[len(values) :], fixed.values()):
        values.append(column.prepared([value]) * len(values[0]))
    return list(zip(*(column.stored(part) for column, part in zip(columns, values)))), refused


def _check_shape(rows: Sequence[Any], layout: Layout, size: int) -> None:
    # A dictionary would be taken for the tuple of its keys, and its keys would be written.
    kinds = set(map(type, rows))
    wrong = [kind for kind in kinds if issubclass(kind, (str, bytes, Mapping, Set)) or not hasattr(kind, "__len__")]
    if not wrong and set(map(len, rows)) <= {size}:
        return
    row = next(row for row in rows if type(row) in wrong or not wrong and len(row) != size)
    names = ", ".join(column.name for column in layout.columns[:size])
    raise BadSetting(f"a row for {layout.table}", row, f"give {size} values in their order, as a tuple: ({names})")


def _without_misfits(values: Values, layout: Layout) -> tuple[Values, list[Refused]]:
    reasons: dict[int, list[str]] = {}
    for column, part in zip(layout.columns, values):
        for at, value in enumerate(part):
            if (reason := column.misfit(value)) is not None:
                reasons.setdefault(at, []).append(reason)
    keys = list(map(layout.key_of, zip(*values)))
    refused = [Refused(keys[at], "; ".join(found)) for at, found in sorted(reasons.items())]
    return [[value for at, value in enumerate(part) if at not in reasons] for part in values], refused
