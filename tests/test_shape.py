"""The shape of the code: files and functions of bounded length, one place that catches everything, private names."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.command_line import ROOT
from tests.imports import imports, outline, tree

MOST_LINES_OF_FILE, MOST_LINES_OF_FUNCTION = 400, 60
FOLDERS = ("janitor", "tests", "benchmarks", "deploy", "examples")


def files(*folders: str) -> Iterator[Path]:
    """Every file of Python in some folders."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    """A file's path within the repository."""
    return str(path.relative_to(ROOT))


def test_no_private_name_is_imported() -> None:
    assert [f"{named(path)}: {name}" for path in files(*FOLDERS) for _, name in imports(path) if private(name)] == []


def private(name: str) -> bool:
    """Whether a name begins with one underscore."""
    return name.startswith("_") and not name.startswith("__")


def test_no_file_is_long() -> None:
    found = [(named(path), len(path.read_text(encoding="utf-8").splitlines())) for path in files(*FOLDERS)]
    assert [file for file in found if file[1] > MOST_LINES_OF_FILE] == []


def test_no_function_is_long() -> None:
    found = [(named(path), name, lines) for path in files(*FOLDERS) for name, lines in outline(path).functions]
    assert [function for function in found if function[2] > MOST_LINES_OF_FUNCTION] == []


def test_nothing_is_caught_broadly_but_by_the_guard() -> None:
    # The guard takes the kinds that it catches as an argument, so it is not found here either.
    may = [path for path in files("janitor") if re.search(r"Exception|except\s*:", path.read_text(encoding="utf-8"))]
    assert [named(path) for path in may for node in ast.walk(tree(path)) if is_broad(node)] == []


def is_broad(node: ast.AST) -> bool:
    """Whether this catches every exception."""
    if not isinstance(node, ast.ExceptHandler):
        return False
    names = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)} if node.type else {"Exception"}
    return bool(names & {"Exception", "BaseException"})


FEW_DECISIONS = 4
"""A module with as many decisions, or more, has behaviour of its own."""
TRIED_AS_A_WHOLE = ("janitor/demo/", "janitor/state/migrations/versions/")
"""The demo is tried by its words and pages, a migration by the schema that it makes."""
DECISIONS = (ast.If, ast.For, ast.While, ast.Try, ast.With, ast.Match, ast.IfExp, ast.BoolOp, ast.comprehension)


def test_a_module_with_behaviour_has_its_test_file() -> None:
    # `janitor/notices/outbox.py` is tested in `tests/notices/test_outbox.py`.
    without = [
        path
        for path in files("janitor")
        if not mirrored(path).exists() and not named(path).startswith(TRIED_AS_A_WHOLE)
    ]
    assert [named(path) for path in without if decisions(path) >= FEW_DECISIONS] == []


def decisions(path: Path) -> int:
    """How many branches and loops the functions of a file have."""
    bodies = [node.body for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return sum(isinstance(node, DECISIONS) for body in bodies for part in body for node in ast.walk(part))


def mirrored(path: Path) -> Path:
    """The test file of a module; that of a package is named after the package."""
    stem = path.parent.name if path.name == "__init__.py" else path.stem.lstrip("_")
    return ROOT / "tests" / path.relative_to(ROOT / "janitor").parent / f"test_{stem}.py"
