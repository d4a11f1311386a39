"""What each error number of MySQL and MariaDB means; the numbers are those of their error references.

In a sentence `{where}` is the database, and `{text}` is the server's own message.
"""

from janitor.errors import JanitorError, Rejected, RowRefused, StatementTimeout, Unavailable

CONNECT_FAILED = 2003
CONNECTION_LOST = 2013
CERTIFICATE = 2026
STATEMENT_TOO_LONG = 1153
TOO_LARGE = frozenset({1118, STATEMENT_TOO_LONG})
"""A row that no page or log has room for, a statement that the server does not read."""
LOCKED = 1205

LOST_RACES = frozenset({1020, 1213})
"""A row changed meanwhile, a deadlock: the same transaction may succeed at once."""

DUPLICATES = frozenset({1062, 1169, 1586})
"""A row with the same unique value is there."""

NOT_THERE = frozenset({1049, 1051, 1146, 1356})
"""No such database or table, or a view of a table that is gone."""

_REFUSED_ROWS = (
    *(1048, 1062, 1169, 1364, 1369, 1526, 1557, 1586, 1748, 3819, 4025),  # NULL, keys, checks, partitions
    *(1216, 1217, 1451, 1452, 1761, 1762),  # foreign keys
    *(1264, 1265, 1292, 1365, 1366, 1406, 1411, 1525, 1690, 3140, 3141),  # values that a column cannot hold
    *(1642, 1643, 1644),  # a trigger's SIGNAL without a number of its own
    *(1000, 1001),  # numbers of a trigger's own, as the manual's examples have them: no server uses them
)
"""What a server says to a row for what the row holds: other rows of the same statement may go."""

LEAST_OWN_NUMBER = 7000
"""Servers send no number so high to a client: a trigger's SIGNAL does, with a number of its own."""

ANOTHER_SERVER = frozenset(
    {1047, 1053, 1152, 1158, 1159, 1160, 1161, 1290, 1792, 1836, 1874, 1927, 2006, CONNECTION_LOST, 3100, 3168, 4031}
)
"""The server stops, was replaced, lost its group, or takes no writes any more, as after a failover."""

_MEANINGS: tuple[tuple[type[JanitorError], str, tuple[int, ...]], ...] = (
    # reaching the server and being let in
    (Unavailable, "{where} cannot be reached: {text}", (2002, CONNECT_FAILED)),
    (Unavailable, "{where} has no free connection: {text}", (1040, 1203, 1226)),
    (Unavailable, "{where} is shutting down: {text}", (1053, 3168)),
    (Unavailable, "the connection to {where} was lost: {text}", (1152, 1158, 1159, 1160, 1161, 2006, CONNECTION_LOST)),
    (Unavailable, "{where} has left its group of servers: {text}", (1047, 3100)),
    (Unavailable, "the connection to {where} was ended by an administrator: {text}", (1927,)),
    (Unavailable, "{where} ended a session that had been idle: {text}", (4031,)),
    (Rejected, "TLS with {where} failed: {text}; check the CA file and the server's certificate", (CERTIFICATE,)),
    (Rejected, "{where} takes only TLS connections: {text}; add ?ssl_ca=/path/to/ca.pem to the URL", (3159,)),
    (Rejected, "access denied at {where}: {text}; check the user and the password in the URL", (1045, 1698)),
    (Rejected, "access denied at {where}: {text}; grant that user the database", (1044,)),
    (Rejected, "access denied at {where}: {text}; let that user connect from this host", (1130,)),
    (Rejected, "access denied at {where}: {text}; set that user's password anew", (1820, 1862)),
    (Rejected, "access denied at {where}: {text}; unlock that user", (3118, 4151)),
    (Rejected, "access denied at {where}: {text}", (1129,)),
    (Rejected, "there is no such database at {where}: {text}; check the name in the URL", (1049,)),
    # tables, columns and grants
    (Rejected, "a table is missing at {where}: {text}; check the database's name, or create the table", (1146,)),
    (Rejected, "a column is missing at {where}: {text}; this task was made for another table", (1054,)),
    (
        Rejected,
        "a grant is missing at {where}: {text}; docs/reference/grants.md lists the least grants",
        (1142, 1143, 1227),
    ),
    (Rejected, "{where} does not take writes: {text}; the server is read-only", (1290, 1836, 1874)),
    (Rejected, "{where} does not take writes: {text}; this session may only read", (1792,)),
    (Rejected, "{where} does not take writes: {text}; set binlog_format to MIXED or ROW there", (1665,)),
    # statements and rows
    (RowRefused, "a row was refused at {where}: {text}", _REFUSED_ROWS),
    (
        Rejected,
        "a statement was too long for {where}: {text}; raise the server's max_allowed_packet",
        (STATEMENT_TOO_LONG,),
    ),
    (StatementTimeout, "a statement ran over its time limit at {where} and was stopped: {text}", (1028, 1969, 3024)),
    (StatementTimeout, "{where} waited too long for a lock that another session holds: {text}", (LOCKED,)),
    (Unavailable, "{where} chose this transaction to end a deadlock: {text}", (1213,)),
    (Unavailable, "a row changed meanwhile at {where}: {text}", (1020,)),
    (Unavailable, "a table was changed meanwhile at {where}: {text}", (1412,)),
    (Unavailable, "a statement was stopped by an administrator at {where}: {text}", (1317,)),
    # the server's disk
    (Rejected, "the disk is full at {where}: {text}; free some space there", (1021,)),
    (Rejected, "the disk or table is full at {where}: {text}; free some space there", (1114,)),
    (Rejected, "the storage engine failed at {where}: {text}; look at the server's disk and log", (1030,)),
    (Rejected, "the server could not write a file at {where}: {text}; look at the server's disk", (3,)),
    (Rejected, "the disk for temporary files is full at {where}: {text}; free some space there", (1878,)),
    (Unavailable, "too much was written meanwhile to a table of which an index was made at {where}: {text}", (1799,)),
    (Rejected, "a table is damaged at {where}: {text}; look at the server's log", (1932,)),
)

MEANINGS = {number: (leaf, sentence) for leaf, sentence, numbers in _MEANINGS for number in numbers}
"""For each number the class of the error and its sentence."""
