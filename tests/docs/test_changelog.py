"""The changelog's table of moved names: each new name is public, and each old path is gone."""

import importlib
import re
from collections.abc import Iterator

import pytest

from docs.marked import cells
from tests.command_line import ROOT

ROW = re.compile(r"^  (\| `janitor\..*)$", re.MULTILINE)


def moved() -> Iterator[tuple[str, str]]:
    """Each moved name, before and now, with its module."""
    table = "\n".join(ROW.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    for before, now in cells(table):
        yield from zip(whole_names(before), whole_names(now), strict=True)


def whole_names(cell: str) -> list[str]:
    """The names of a cell; only the first name has its module."""
    first, *others = re.findall(r"`([\w.]+)`", cell)
    module = first.rpartition(".")[0]
    return [first, *(f"{module}.{name}" for name in others)]


@pytest.mark.parametrize(("before", "now"), list(moved()))
def test_a_moved_name_is_public_and_its_old_path_gone(before: str, now: str) -> None:
    module, _, name = now.rpartition(".")
    assert module.count(".") == 1 and name in importlib.import_module(module).__all__
    old_module, _, old_name = before.rpartition(".")
    with pytest.raises((ImportError, AttributeError)):
        getattr(importlib.import_module(old_module), old_name)


def test_the_table_of_moved_names_is_read() -> None:
    assert ("janitor.avro.digest", "janitor.publisher.digest") in list(moved())
