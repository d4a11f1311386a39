"""The public way in: the modules that the author of a task imports, and what each gives."""

import ast
import importlib
import inspect
from importlib.util import find_spec
from types import ModuleType

from sphinx.pycode import ModuleAnalyzer

from docs.marked import code, table

FACES = (
    "errors",
    "runs",
    "needs",
    "settings",
    "databases",
    "feeds",
    "table_sink",
    "publisher",
    "memory",
    "jobs",
    "items",
    "http",
    "mail",
    "files",
    "documents",
    "scheduler",
    "cli",
)
"""Modules directly below `janitor`, as far as there are such."""

OWED = {
    "janitor.needs.Need": "What a task needs from outside: a database or an exchange.",
    "janitor.settings.DatabaseUrl": "The kind of a setting that is a database URL.",
    "janitor.settings.Day": "The kind of a setting that is a day: YYYY-MM-DD.",
    "janitor.settings.Secret": "The mark of a setting that is never shown.",
    "janitor.settings.Zone": "The kind of a setting that is a zone of the tz database.",
}
"""Public names that lack a docstring in the code, with what it is to say; a test fails once the code has it."""


class Undocumented(LookupError):
    """Raised when a public name has no docstring: give it one."""


def faces(_: str) -> str:
    """A section for each face: a table of its names, then their docstrings."""
    return "\n\n".join(_section(name) for name in there())


def there() -> list[str]:
    """The faces that there are."""
    return [f"janitor.{face}" for face in FACES if find_spec(f"janitor.{face}") is not None]


def public(module: ModuleType) -> list[str]:
    """The public names of a module: `__all__`, or the classes and functions that it defines."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
    return [name for name in own if not name.startswith("_") and callable(getattr(module, name))]


def _section(name: str) -> str:
    module = importlib.import_module(name)
    rows = [(code(one), _kind(getattr(module, one)), first_sentence(module, one)) for one in public(module)]
    listed = table(("name", "kind", "what it is"), rows)
    docstrings = f"```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n   :member-order: bysource\n```"
    return f"### {name}\n\n{_first(module.__doc__)}\n\n{listed}\n\n{docstrings}"


def _kind(value: object) -> str:
    if inspect.isclass(value):
        return "error" if issubclass(value, BaseException) else "class"
    return "function" if callable(value) else "value"


def first_sentence(module: ModuleType, name: str) -> str:
    """The first sentence of a public name's docstring.

    Raises:
        Undocumented: it has none.
    """
    found = docstring(module, name) or OWED.get(f"{module.__name__}.{name}", "")
    if not found:
        raise Undocumented(f"{module.__name__}.{name} has no docstring: say in one sentence what it is")
    return _first(found)


def docstring(module: ModuleType, name: str) -> str:
    """The docstring of a public name, or what stands below its assignment; empty if there is none."""
    value = getattr(module, name)
    if inspect.isclass(value) or inspect.isroutine(value):
        return value.__doc__ or ""
    return _beside(module, name)


def _beside(module: ModuleType, name: str) -> str:
    """The docstring below an assignment, in the module that has it."""
    source = _source(module, name)
    docs = ModuleAnalyzer.for_module(source).find_attr_docs()
    return "\n".join(docs.get(("", name), []))


def _source(module: ModuleType, name: str) -> str:
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and name in [one.asname or one.name for one in node.names]:
            return node.module
    return module.__name__


def _first(text: str | None) -> str:
    paragraph = " ".join((text or "").strip().split("\n\n")[0].split())
    return paragraph.replace("|", "\\|").replace("<", "\\<") if "`" not in paragraph else paragraph.replace("|", "\\|")
