"""A table with columns of all kinds, on MariaDB or MySQL."""

from datetime import date

from sqlalchemy import create_engine

from janitor.table_sink import TableSink
from tests.servers import SqlServer
from tests.table_sink.places import THEN

OTHER_TABLE = """
CREATE TABLE other (
  `odd ``name` char(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL PRIMARY KEY,
  big bigint unsigned,
  tiny tinyint NOT NULL,
  day date,
  whole datetime,
  tenth datetime(1) NOT NULL,
  stamp timestamp(3) NULL,
  wide varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  narrow text CHARACTER SET latin1,
  plain varchar(10) CHARACTER SET ascii COLLATE ascii_bin,
  unrelated int NOT NULL DEFAULT 7
)
"""


OTHER_COLUMNS = ("odd `name", "big", "tiny", "day", "whole", "tenth", "stamp", "wide", "narrow", "plain")
GOOD = ("Käse€", 2**64 - 1, -128, date(2026, 2, 28), THEN, THEN, THEN, "😀\\'\"", "naïve\x81" * 9, "ok")


def other_sink(mariadb: SqlServer) -> TableSink:
    url = mariadb.create_database()
    with create_engine(url).begin() as connection:
        connection.exec_driver_sql(OTHER_TABLE.replace("%", "%%"))
    return TableSink(url, "other", "odd `name", OTHER_COLUMNS)
