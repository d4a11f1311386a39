"""Write rows to a table: only what differs, in bulk."""

from janitor.table_sink.chunks import CHUNK_ROWS
from janitor.table_sink.counts import Compared, Written
from janitor.table_sink.plan import Refused
from janitor.table_sink.row_texts import TextPage, Unpaired
from janitor.table_sink.sink import TableSink

__all__ = [
    "CHUNK_ROWS",
    "Compared",
    "Refused",
    "TableSink",
    "TextPage",
    "Unpaired",
    "Written",
]
