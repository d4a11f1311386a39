"""Statements in `.sql` files: read as shipped, with conditions and lists put in."""

import pytest
from sqlalchemy import bindparam, create_engine, text

from janitor.databases import select_from, statement
from janitor.tasks.labware_location.rows import PACKAGE


def test_a_statement_is_the_shipped_file() -> None:
    found = statement(PACKAGE, "select_barcodes.sql", "barcodes")
    assert "SELECT labwares.id, labwares.barcode FROM labwares WHERE labwares.barcode IN :barcodes" in found.text


def test_a_condition_replaces_the_word_in_braces() -> None:
    found = statement(PACKAGE, "select_labwares.sql", which="audits.auditable_id > :after").text
    assert found.index("FROM audits") < found.index("audits.auditable_id > :after") < found.index("GROUP BY")
    assert "{which}" not in found


def test_one_file_gives_several_statements() -> None:
    first = statement(PACKAGE, "select_labwares.sql", which="audits.auditable_id > :after")
    second = statement(PACKAGE, "select_labwares.sql", which="audits.auditable_id = :id")
    assert first.text != second.text
    assert statement(PACKAGE, "select_labwares.sql", which="audits.auditable_id > :after") is first


@pytest.mark.parametrize(
    ("barcodes", "found"), [(["DN1", "DN3", "none"], ["DN1", "DN3"]), (["DN2"], ["DN2"]), ([], [])]
)
def test_a_list_of_any_length_is_one_parameter(barcodes: list[str], found: list[str]) -> None:
    query = statement(PACKAGE, "select_barcodes.sql", "barcodes")
    with create_engine("sqlite://").begin() as connection:
        connection.execute(text("CREATE TABLE labwares (id INTEGER PRIMARY KEY, barcode TEXT)"))
        connection.execute(text("INSERT INTO labwares (barcode) VALUES ('DN1'), ('DN2'), ('DN3')"))
        assert sorted(connection.execute(query, {"barcodes": barcodes}).scalars("barcode")) == found


def test_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        statement(PACKAGE, "select_nothing.sql")


def test_a_query_is_asked_around_with_its_parameters() -> None:
    query = text("SELECT n FROM t WHERE n IN :wanted").bindparams(bindparam("wanted", expanding=True))
    with create_engine("sqlite://").begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
        connection.execute(text("INSERT INTO t VALUES (1), (2), (5)"))
        assert connection.execute(select_from(query, "COUNT(*), SUM(page.n)"), {"wanted": [2, 5, 7]}).one() == (2, 7)
