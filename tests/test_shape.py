"""The shape of the code: files and functions of bounded length, one place that catches everything, private names."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.command_line import ROOT
from tests.imports import imports, tree

MOST_LINES, MOST = 400, 60
"""How long a file and a function may be: lines."""
FOLDERS = ("janitor", "tests", "benchmarks", "deploy", "examples")

LONG_FILES: set[str] = set()
LONG_FUNCTIONS: set[str] = set()
BROAD: set[str] = set()
PRIVATE: set[str] = set()
"""What is not as it must be yet. Nothing may join these lists; whatever is put right leaves them."""


def files(*folders: str) -> Iterator[Path]:
    """Every file of Python in some folders."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    """A file's path within the repository."""
    return str(path.relative_to(ROOT))


def test_no_private_name_is_imported() -> None:
    taken = {f"{named(path)}: {name}" for path in files(*FOLDERS) for _, name in imports(path) if private(name)}
    assert taken - PRIVATE == set()


def private(name: str) -> bool:
    """Whether a name begins with one underscore."""
    return name.startswith("_") and not name.startswith("__")


def test_no_file_is_long() -> None:
    lines = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files(*FOLDERS)}
    assert {name for name, count in lines.items() if count > MOST_LINES} - LONG_FILES == set()


def test_no_function_is_long() -> None:
    long = {f"{named(path)}: {name}" for path in files(*FOLDERS) for name, lines in functions(path) if lines > MOST}
    assert long - LONG_FUNCTIONS == set()


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of a file, with how many lines it has."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_nothing_is_caught_broadly_but_by_the_guard() -> None:
    catching = {named(path) for path in files("janitor") for node in ast.walk(tree(path)) if is_broad(node)}
    # The guard takes the kinds that it catches as an argument.
    assert catching - BROAD == set()


def is_broad(node: ast.AST) -> bool:
    """Whether this catches every exception."""
    if not isinstance(node, ast.ExceptHandler):
        return False
    names = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)} if node.type else {"Exception"}
    return bool(names & {"Exception", "BaseException"})
