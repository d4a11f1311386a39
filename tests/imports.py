"""What imports what, read from the code: every import counts, also one within a function or under TYPE_CHECKING."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Graph = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Outline:
    """What is asked of every file: its imports, and the lines of each function. All trees would take too much memory.

    An import is the module that it names, and the name taken from it (empty for the module itself).
    """

    imports: tuple[tuple[str, str], ...]
    functions: tuple[tuple[str, int], ...]


def tree(path: Path) -> ast.Module:
    """A file, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def outline(path: Path) -> Outline:
    """Read a file, once."""
    imports: list[tuple[str, str]] = []
    functions: list[tuple[str, int]] = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            imports += ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            imports += ((str(node.module), alias.name) for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions.append((node.name, (node.end_lineno or node.lineno) - node.lineno + 1))
    return Outline(tuple(imports), tuple(functions))


def modules(root: Path) -> dict[str, Path]:
    """Every module of the package below a folder, and run.py, by name."""
    paths = [root / "run.py", *sorted((root / "janitor").rglob("*.py"))]
    names = {path: ".".join(path.relative_to(root).with_suffix("").parts) for path in paths}
    return {name.removesuffix(".__init__"): path for path, name in names.items()}


def imports(path: Path) -> Iterable[tuple[str, str]]:
    """Each import in a file."""
    return outline(path).imports


def graph(known: Mapping[str, Path]) -> Graph:
    """The modules that each module imports, of those that are known."""
    return {name: frozenset(_imported(path, known)) - {name} for name, path in known.items()}


def _imported(path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    for module, name in imports(path):
        # `from janitor.state import leases` names the module leases, not the package around it.
        named = f"{module}.{name}" if f"{module}.{name}" in known else module
        if named in known:
            yield named


def circles(edges: Graph) -> list[list[str]]:
    """Each set of nodes that all reach one another, largest first; Tarjan's algorithm."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        path.append(node)
        for other in edges.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in path:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            start = path.index(node)
            if len(path) - start > 1:
                found.append(sorted(path[start:]))
            del path[start:]

    for node in edges:
        if node not in index:
            visit(node)
    return sorted(found, key=len, reverse=True)
