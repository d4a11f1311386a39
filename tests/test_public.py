"""The public way in has one dot: tasks, examples and documents import the faces, and only what the faces offer."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import janitor
from tests.command_line import ROOT
from tests.imports import imports

FACES = set(
    "errors runs needs settings databases feeds table_sink publisher memory items jobs http mail scheduler cli".split()
)
"""`janitor.<name>`, for whoever writes a task or a run.py."""
LATER = {
    name for name in ("http", "mail", "items", "files", "documents") if not list((ROOT / "janitor").glob(f"{name}*"))
}
CODE = re.compile(r"^ *```(?:python|py)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^(?: {4}.*)?\n)+", re.MULTILINE)


def faces() -> list[str]:
    """The faces that are there."""
    return sorted(FACES - LATER)


@pytest.mark.parametrize("name", faces())
def test_a_face_lists_what_it_offers(name: str) -> None:
    face = importlib.import_module(f"janitor.{name}")
    assert face.__all__ and [one for one in face.__all__ if not hasattr(face, one)] == []
    assert sorted(face.__all__) == list(face.__all__), "in the order of the alphabet"
    assert name in (janitor.__doc__ or "")


def code_of(document: Path) -> Iterator[ast.Module]:
    """Each block of Python in a document."""
    text = document.read_text(encoding="utf-8")
    for block in [*CODE.findall(text), *INDENTED.findall(text)]:
        if re.search(r"^\s*(?:from|import) janitor", block, re.MULTILINE):
            lines = [line.strip() for line in block.splitlines() if re.match(r"\s*(?:from|import) janitor", line)]
            yield ast.parse("\n".join(line for line in lines if not line.endswith("(")))


def deep(module: str, name: str, own: str = "") -> bool:
    """Whether an import reaches deeper than a face, or takes what the face does not offer; `own` is free to itself."""
    if module.split(".")[0] != "janitor" or module.startswith("janitor.tasks") and (not own or module.startswith(own)):
        return False
    if module == "janitor":
        return bool(name) and name not in FACES | {"tasks", "__version__"}
    face = module.removeprefix("janitor.")
    return face not in FACES or bool(name) and name not in importlib.import_module(module).__all__


def test_tasks_import_faces_alone() -> None:
    found = set()
    for path in sorted((ROOT / "janitor" / "tasks").rglob("*.py")):
        own = ".".join(path.relative_to(ROOT).with_suffix("").parts[:3])
        found |= {
            f"{path.relative_to(ROOT)}: {module} {name}" for module, name in imports(path) if deep(module, name, own)
        }
    assert found == set()


def test_run_py_and_examples_import_faces_alone() -> None:
    files = [ROOT / "run.py", *sorted((ROOT / "examples").rglob("*.py"))]
    found = {
        f"{path.relative_to(ROOT)}: {module} {name}"
        for path in files
        for module, name in imports(path)
        if deep(module, name)
    }
    assert found == set()


def test_documents_import_faces_alone() -> None:
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]
    found = set()
    for document in documents:
        for tree in code_of(document):
            for node in ast.walk(tree):
                taken = [(str(node.module), one.name) for one in node.names] if isinstance(node, ast.ImportFrom) else []
                taken += [(one.name, "") for one in node.names] if isinstance(node, ast.Import) else []
                found |= {
                    f"{document.relative_to(ROOT)}: {module} {name}" for module, name in taken if deep(module, name)
                }
    assert found == set()


def test_a_deep_import_is_seen(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(
        "As here:\n\n```python\nfrom janitor.feeds.feed import Feed\nfrom janitor.runs import running_late\n```\n"
    )
    (tree,) = code_of(document)
    taken = [(str(node.module), node.names[0].name) for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert [deep(module, name) for module, name in taken] == [True, True]
    assert not deep("janitor.runs", "current_run") and not deep("janitor", "databases") and deep("janitor", "state")
    assert deep("janitor.tasks.a", "x", "janitor.tasks.b") and not deep("janitor.tasks.a", "x", "janitor.tasks.a")
