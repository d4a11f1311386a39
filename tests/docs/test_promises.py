"""The page of promises: each stands beside tests that exist and that are not expected to fail."""

import ast
import re
from functools import cache
from pathlib import Path

from docs.marked import cells

TESTS = Path(__file__).parent.parent
PAGE = TESTS.parent / "docs" / "explanation" / "promises.md"
PROOF = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def rows() -> list[tuple[str, list[tuple[str, str]]]]:
    """Each promise with its proofs, which are a file below tests/ and a test in it."""
    found = cells(PAGE.read_text(encoding="utf-8"))
    assert {len(row) for row in found} == {2}
    return [(promise, PROOF.findall(proof)) for promise, proof in found]


@cache
def collected(name: str) -> dict[str, str]:
    """The tests in a file below tests/, each with its decorators."""
    tree = ast.parse((TESTS / name).read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {node.name: " ".join(map(ast.unparse, node.decorator_list)) for node in functions}


def test_every_promise_has_a_proof_that_exists() -> None:
    table = rows()
    assert len(table) >= 80 and len({promise for promise, _ in table}) == len(table)
    assert [promise for promise, proofs in table if not proofs] == []
    named = {(path, test) for _, proofs in table for path, test in proofs}
    assert sorted(path for path, _ in named if not (TESTS / path).is_file()) == []
    assert sorted(f"{path}::{test}" for path, test in named if test not in collected(path)) == []
    assert sorted(f"{path}::{test}" for path, test in named if "xfail" in collected(path)[test]) == []
