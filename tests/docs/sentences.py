"""The sentences that the code can say, as it has them: `...` stands for each value that is put in."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.command_line import ROOT

QUOTED = re.compile(r"^\*\*`(?P<sentence>.+)`\*\*$", re.MULTILINE)
LEFT_OUT = {"demo"}
LOGGED = {"warning", "error", "exception"}
FOUND = {"wrong"}
NAMED = {"BadSetting", "mistake", "Mistake"}
IN_SETTINGS, HIDDEN = "settings/", "settings/passwords.py"
"""A ValueError of this room becomes a refused value; only that of a malformed hash is never shown."""
RAISED = NAMED | {
    "Wrong",
    "Unavailable",
    "Rejected",
    "JanitorError",
    "NotReady",
    "StatementTimeout",
    "Fenced",
    "Interrupted",
}


def quoted(page: Path) -> list[str]:
    """The sentences that a page has entries for."""
    return [found["sentence"] for found in QUOTED.finditer(page.read_text(encoding="utf-8"))]


def said() -> Iterator[str]:
    """Every text of the package; values in it are `...`."""
    for tree in modules().values():
        yield from texts(tree)


def modules() -> dict[str, ast.Module]:
    """Every module of the package but the demo's, by its path."""
    package = ROOT / "janitor"
    paths = [path for path in sorted(package.rglob("*.py")) if not LEFT_OUT & set(path.relative_to(package).parts)]
    return {str(path.relative_to(package)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def for_operators() -> Iterator[tuple[str, str]]:
    """Each sentence that is certainly for an operator, with its place: warnings, errors, findings, refused values."""
    for path, tree in modules().items():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            refused = name == "ValueError" and path.startswith(IN_SETTINGS) and path != HIDDEN
            if name in LOGGED | FOUND | RAISED or refused:
                # The first argument of a refused value, and of a mistake, is its name.
                told = call.args[1:] if name in NAMED else call.args
                for text in (text for one in told for text in _own(one) if len(fixed_words(text)) >= 3):
                    yield f"{path}:{call.lineno}", text
        if path == "databases/errors.py":
            yield from ((path, text) for text in texts(tree) if "..." in text and len(fixed_words(text)) >= 3)


def _own(node: ast.expr) -> list[str]:
    return list(texts(node))[:1] if isinstance(node, (ast.Constant, ast.JoinedStr)) else []


def fixed_words(text: str) -> list[str]:
    """The words of a text that are always there; names of settings do not count."""
    return re.findall(r"\b[A-Z]?[a-z']+\b", text.replace("...", " "))


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text in a module but its docstrings."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in docstrings or id(node) in parts:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield plain(node.value)
        elif isinstance(node, ast.JoinedStr):
            yield plain("".join(str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values))


def plain(text: str) -> str:
    """A text with `...` for each value that is put in later."""
    return re.sub(r"%[-+.0-9]*[sdrgf]|\{\w+\}", "...", text)


def pattern(sentence: str) -> "Parts":
    """What a text must hold so that it is a sentence's: its fixed parts, in order."""
    fixed = [part.strip() for part in sentence.split("...") if len(part.strip()) > 3]
    assert fixed, f"{sentence!r} has no fixed part"
    return Parts(fixed)


@dataclass(frozen=True)
class Parts:
    """Texts that stand in another text, one after the other. There are thousands: an expression would take a minute."""

    fixed: Sequence[str]

    def stand_in(self, text: str) -> bool:
        """Whether they do."""
        at = 0
        for part in self.fixed:
            found = text.find(part, at)
            if found < 0:
                return False
            at = found + len(part)
        return True
