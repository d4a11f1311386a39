"""Unique indexes, made of the parts that a server tells."""

from janitor.table_sink.indexes import unique_indexes


def test_the_parts_of_an_index_come_together_in_order() -> None:
    parts = [("by_place", "site", True), ("by_place", "shelf", True), ("by_name", "name", True)]
    assert unique_indexes(parts) == [("by_place", ("site", "shelf"), True), ("by_name", ("name",), True)]
    assert unique_indexes([]) == []


def test_an_index_of_beginnings_or_expressions_is_not_whole() -> None:
    parts = [("start", "site", False), ("start", "shelf", True), ("length", "site", True), ("length", None, True)]
    assert unique_indexes(parts) == [("start", ("site", "shelf"), False), ("length", ("site",), False)]
