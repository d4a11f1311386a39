"""The layout of a target: where its key stands, and which columns are the sink's own."""

from dataclasses import replace

from janitor.table_sink.column import Column
from janitor.table_sink.layout import Layout

WORD, NUMBER, OWNER = (
    Column("word", "text", False, "text"),
    Column("number", "integer", False, "int"),
    Column("lims", "text", False, "text"),
)
LAYOUT = Layout("t", ("number",), (WORD, NUMBER, OWNER), ("lims",), ("number",), None, None)
PAIR = replace(LAYOUT, keys=("number", "word"))


def test_the_owners_columns_are_not_the_sinks_own() -> None:
    assert LAYOUT.own == (WORD, NUMBER)
    assert replace(LAYOUT, owner=()).own == (WORD, NUMBER, OWNER)


def test_a_key_is_read_from_the_text_of_a_row_in_its_type() -> None:
    assert LAYOUT.key_columns == (NUMBER,)
    assert LAYOUT.key_in("5\x1f17\x1fmine") == 17
    assert replace(LAYOUT, keys=("word",)).key_in("5\x1f17\x1fmine") == "5"
    assert PAIR.key_in("5\x1f17\x1fmine") == (17, "5")


def test_a_key_of_several_columns_has_their_values_and_words() -> None:
    assert (LAYOUT.key_of(("a", 7, "me")), PAIR.key_of(("a", 7, "me"))) == (7, (7, "a"))
    assert (LAYOUT.values(7), PAIR.values((7, "a"))) == ((7,), (7, "a"))
    assert (LAYOUT.words(7), PAIR.words((7, "a"))) == ("number 7", "number 7 and word 'a'")
