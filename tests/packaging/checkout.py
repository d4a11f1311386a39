"""The checkout that the tests run in: its files, and what they state."""

import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import ROOT


def read(name: str) -> str:
    """Read a file of the checkout."""
    return (ROOT / name).read_text(encoding="utf-8")


def lock() -> dict[str, Any]:
    """Read Pipfile.lock."""
    found: dict[str, Any] = json.loads(read("Pipfile.lock"))
    return found


def pyproject() -> dict[str, Any]:
    """Read pyproject.toml."""
    return tomllib.loads(read("pyproject.toml"))


def committed() -> list[Path]:
    """List every file that is committed, or that `git add --all` would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip(f"the checkout is no git repository: {listed.stderr.strip()}")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def shipped() -> list[Path]:
    """List the modules that the wheel ships."""
    return [*(ROOT / "janitor").rglob("*.py"), *ROOT.glob("run.py")]
