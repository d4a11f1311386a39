"""What an entry is called in messages, and where a mistake in it is."""

from typing import Any

import pytest

from janitor.jobs_file.entry import Entry
from janitor.jobs_file.mistakes import Place

FIRST, KEY, INNER = Place("jobs.yaml", 5), Place("jobs.yaml", 7), Place("jobs.yaml", 9)


def entry(**values: Any) -> Entry:
    """Make the third entry of a file."""
    return Entry(3, FIRST, values, {"args": KEY}, [])


@pytest.mark.parametrize(
    ("values", "name"),
    [({"id": "crawl"}, "job crawl"), ({}, "job number 3"), ({"id": ""}, "job number 3"), ({"id": 7}, "job number 3")],
)
def test_an_entry_is_called_by_its_id_or_number(values: dict[str, Any], name: str) -> None:
    assert entry(**values).name == name


def test_a_mistake_is_where_its_key_is() -> None:
    found = entry(id="crawl", args=1)
    assert str(found.mistake("args", "no")) == "jobs.yaml:7: job crawl: args: no"
    assert found.mistake("function", "it is missing").place == FIRST
    assert found.mistake("args", "no", INNER).place == INNER
