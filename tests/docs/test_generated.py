"""Generated tables: they are what the code says, and what people wrote beside them stays."""

import importlib
from types import ModuleType

import pytest

from docs import generate
from docs.marked import empty, table, written
from docs.sources import python_api

PAGE = "# A page\n\n<!-- generated: keys -->\n{}\n<!-- end: keys -->\n\nThe end.\n"


def made(*keys: str, old: str) -> str:
    """A page whose table the code gives these keys, after it was `old`."""
    return written(old, {"keys": lambda text: table(("key", "meaning"), [(key,) for key in keys], text)})


def test_every_page_is_what_the_code_says() -> None:
    assert generate.complaints(list(generate.texts())) == []


def test_a_key_without_words_is_complained_of() -> None:
    # Given a page with one key and its words; the code gets a second key; the words stay, and the new key lacks some.
    page = made("a", old=PAGE.format("")).replace("| a |  |", "| a | what a \\| means |")
    grown = made("a", "b", old=page)
    assert "| a | what a \\| means |" in grown
    assert empty(page, {"keys"}) == [] and empty(grown, {"keys"}) == ["b of keys"]


def test_a_key_that_is_gone_takes_its_words_along() -> None:
    page = made("a", "b", old=PAGE.format("")).replace("| a |  |", "| a | words |")
    assert "words" not in made("b", old=page)


def test_to_write_twice_changes_nothing() -> None:
    page = made("a", old=PAGE.format(""))
    assert made("a", old=page) == page
    assert page.startswith("# A page\n") and page.endswith("\nThe end.\n")


def test_a_page_without_its_marks_is_an_error() -> None:
    with pytest.raises(LookupError, match="keys"):
        made("a", old="# A page without marks\n")


def test_a_public_name_without_a_docstring_is_an_error() -> None:
    module = ModuleType("janitor.example")
    exec("def told():\n    'Told.'\n\ndef untold():\n    pass\n", vars(module))
    assert python_api.first_sentence(module, "told") == "Told."
    with pytest.raises(python_api.Undocumented, match="janitor.example.untold"):
        python_api.first_sentence(module, "untold")


def test_each_owed_docstring_is_still_owed() -> None:
    for owed in python_api.OWED:
        module, _, name = owed.rpartition(".")
        assert python_api.docstring(importlib.import_module(module), name) == "", f"{owed} has one now: take it out"
