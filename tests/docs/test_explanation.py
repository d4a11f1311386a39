"""README, CONTRIBUTING, SECURITY and docs/explanation: short, and what they name is there."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.test_house import FLOOR

ROOT = Path(__file__).parents[2]
EXPLANATION = sorted((ROOT / "docs" / "explanation").glob("*.md"))
FRONT = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
PAGES = [*FRONT, *EXPLANATION]
MOST_LINES, MOST_ROWS = 150, 10

NAMED_TEST = re.compile(r"\b(test_\w+)\b(?!\.py)(?!/)")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FILE = re.compile(r"`([\w./]+(?:\.py|\.sh|\.md|\.yml|\.json|\w/))`")
DRAWN = re.compile(r" (\w+)(?:/|\.py)(?= |$)", re.MULTILINE)
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)


@cache
def known_tests() -> frozenset[str]:
    """The name of every test of the suite."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tests").rglob("test_*.py"))
    found = (node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef))
    return frozenset(name for name in found if name.startswith("test_"))


def words(path: Path) -> str:
    """What a page says."""
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    assert sorted(set(NAMED_TEST.findall(words(page))) - known_tests()) == []


@pytest.mark.parametrize("page", EXPLANATION, ids=lambda page: page.name)
def test_every_explanation_names_a_test(page: Path) -> None:
    assert NAMED_TEST.search(words(page)) or page.name in ("index.md", "how_fast.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = [link.partition("#")[0] for link in LINK.findall(words(page)) if "://" not in link]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = [name for name in FILE.findall(words(page)) if not name.startswith("/")]
    assert [name for name in named if not is_there(name)] == []


def is_there(name: str) -> bool:
    """Whether a file or a folder lies at this path of the project or of the package; a bare name may lie anywhere."""
    at_a_path = (ROOT / name).exists() or (ROOT / "janitor" / name).exists()
    return at_a_path or ("/" not in name and any((ROOT / "janitor").rglob(name)))


def test_the_drawing_of_the_rooms_shows_each_on_its_floor() -> None:
    house = words(ROOT / "docs" / "explanation" / "house.md").split("## Rooms and floors")[1]
    drawn = DRAWN.findall(house.split("```text\n")[1].split("```")[0].replace("run.py", ""))
    there = {path.stem for path in (ROOT / "janitor").iterdir() if not path.name.startswith("__")}
    assert sorted(drawn) == sorted(there)
    floors = [FLOOR[room] for room in drawn]
    assert floors == sorted(floors, reverse=True)


def test_the_readme_is_short() -> None:
    readme = words(ROOT / "README.md")
    assert len(readme.splitlines()) <= MOST_LINES
    # The head of a table and the line below it are no rows.
    assert all(len(table.splitlines()) - 2 <= MOST_ROWS for table in TABLE.findall(readme))


def test_every_dependency_is_told() -> None:
    stated = tomllib.loads(words(ROOT / "pyproject.toml"))["project"]["dependencies"]
    names = [re.split(r"[^\w-]", one, maxsplit=1)[0] for one in stated]
    told = words(ROOT / "docs" / "explanation" / "house.md").partition("## What it is built from")[2]
    assert len(names) > 20 and [name for name in names if name not in told] == []
