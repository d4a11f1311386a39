"""The sentences that the code can say, as it has them: `...` stands for each value that is put in."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.command_line import ROOT

QUOTED = re.compile(r"^\*\*`(?P<sentence>.+)`\*\*$", re.MULTILINE)
LEFT_OUT = {"demo"}


def quoted(page: Path) -> list[str]:
    """The sentences that a page has entries for."""
    return [found["sentence"] for found in QUOTED.finditer(page.read_text(encoding="utf-8"))]


def said() -> Iterator[str]:
    """Every text of the package, and of the shell of no other; values in it are `...`."""
    for path in sorted((ROOT / "janitor").rglob("*.py")):
        if not LEFT_OUT & set(path.parts):
            yield from texts(ast.parse(path.read_text(encoding="utf-8")))


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
            yield plain("".join(part.value if isinstance(part, ast.Constant) else "..." for part in node.values))


def plain(text: str) -> str:
    """A text with `...` for each value that is put in later."""
    return re.sub(r"%[-+.0-9]*[sdrgf]|\{\w+\}", "...", text)


def is_said(sentence: str, all_said: list[str]) -> bool:
    """Whether the code says a sentence: its fixed parts stand in one text, in order, or each in some text."""
    fixed = [part.strip() for part in sentence.split("...") if len(part.strip()) > 3]
    in_order = re.compile(".*?".join(map(re.escape, fixed)), re.DOTALL)
    return any(in_order.search(text) for text in all_said)
