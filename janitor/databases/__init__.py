"""Read and write other people's databases, within limits.

read, begin               a connection that only reads; a connection in a transaction
statement, select_from    statements in `.sql` files, and statements around them
fetch                     a page of rows, fetched as one text
read_ahead, make_ahead    the next items are made while the present item is worked on
wait_while_busy           a pause while a server has much to do
family, place, quoted     what a URL says, and names in statements
configure, dispose        the limits; closing every connection
"""

from janitor.databases.connections import begin, configure, dispose, read
from janitor.databases.json_rows import fetch
from janitor.databases.limits import Limits
from janitor.databases.load_limit import wait_while_busy
from janitor.databases.places import family, place, quoted
from janitor.databases.prefetch import make_ahead, read_ahead
from janitor.databases.statements import select_from, statement

__all__ = [
    "Limits",
    "begin",
    "configure",
    "dispose",
    "family",
    "fetch",
    "make_ahead",
    "place",
    "quoted",
    "read",
    "read_ahead",
    "select_from",
    "statement",
    "wait_while_busy",
]
