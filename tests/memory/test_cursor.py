"""A task's cursor: what was saved last, under each name."""

from janitor import memory
from janitor.runs import Run


def test_a_cursor_is_what_was_saved_last(run: Run) -> None:
    assert memory.cursor("feed") is None
    memory.save_cursor("feed", "one")
    memory.save_cursor("feed", "two")
    memory.save_cursor("other", "three")
    assert memory.cursor("feed") == "two"
