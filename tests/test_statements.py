"""Statements in `.sql` files: read as shipped, with conditions and lists added."""

import pytest
from sqlalchemy import create_engine, text

from janitor.statements import statement
from janitor.tasks.labware_location.rows import PACKAGE


def test_a_statement_is_the_shipped_file() -> None:
    found = statement(PACKAGE, "select_barcodes.sql", "barcodes")
    assert "SELECT labwares.barcode FROM labwares WHERE labwares.barcode IN :barcodes" in found.text


def test_a_condition_comes_after_the_file() -> None:
    found = statement(PACKAGE, "select_labwares.sql", where="WHERE labwares.id > :after")
    assert found.text.rstrip().endswith("WHERE labwares.id > :after")
    assert found.text.index("FROM labwares") < found.text.index("WHERE labwares.id > :after")


def test_one_file_is_asked_in_several_ways() -> None:
    first = statement(PACKAGE, "select_labwares.sql", where="WHERE labwares.id > :after")
    second = statement(PACKAGE, "select_labwares.sql", where="WHERE labwares.id = :id")
    assert first.text != second.text
    assert statement(PACKAGE, "select_labwares.sql", where="WHERE labwares.id > :after") is first


@pytest.mark.parametrize(
    ("barcodes", "found"), [(["DN1", "DN3", "none"], ["DN1", "DN3"]), (["DN2"], ["DN2"]), ([], [])]
)
def test_a_list_of_any_length_is_one_parameter(barcodes: list[str], found: list[str]) -> None:
    query = statement(PACKAGE, "select_barcodes.sql", "barcodes")
    with create_engine("sqlite://").begin() as connection:
        connection.execute(text("CREATE TABLE labwares (barcode TEXT)"))
        connection.execute(text("INSERT INTO labwares VALUES ('DN1'), ('DN2'), ('DN3')"))
        assert sorted(connection.execute(query, {"barcodes": barcodes}).scalars()) == found


def test_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        statement(PACKAGE, "select_nothing.sql")
