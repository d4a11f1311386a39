"""A copy of the project in a folder of its own, as a reader of the documentation has it."""

import shutil
from pathlib import Path

from tests.command_line import ROOT
from tests.docs.blocks import Block, Command
from tests.docs.shell import Shell
from tests.servers import free_port

DOCS = ROOT / "docs"
TUTORIAL = sorted((DOCS / "tutorial").glob("[0-9]*.md"))
HOW_TO = sorted(page for page in (DOCS / "how-to").glob("*.md") if page.name != "index.md")
PARTS = ("janitor", "examples", "deploy", "tests")
FILES = ("run.py", "setup.cfg", ".env.example", ".release-version", "Dockerfile", "compose.yaml")
PORTS = ("8080", "9000")
"""The ports that pages name; each is a free port in a test."""


def copied(folder: Path) -> Path:
    """Copy the project into `folder`, without what a run leaves behind."""
    made = folder / "janitor"
    for part in PARTS:
        shutil.copytree(ROOT / part, made / part, ignore=shutil.ignore_patterns("var"))
    for name in FILES:
        shutil.copy(ROOT / name, made)
    return made


def free_ports() -> dict[str, str]:
    """A free port for each port that pages name."""
    return {port: str(free_port()) for port in PORTS}


class Reader:
    """Somebody who does what a page says, block by block; `instead` is what is here for what pages name."""

    def __init__(self, folder: Path, shell: Shell, instead: dict[str, str]) -> None:
        self._folder = folder
        self._shell = shell
        self._instead = instead

    def follow(self, block: Block) -> None:
        """Write the block's file, or type its commands.

        Raises:
            AssertionError: a command prints something else than the page shows.
        """
        if block.file:
            path = block.written_to(self._folder)
            path.write_text(self._here(path.read_text(encoding="utf-8")), encoding="utf-8")
        for command in block.commands if block.language == "console" else ():
            printed = tuple(self._here(line) for line in command.printed)
            real = Command(self._here(command.text), printed)
            problem = self._shell.check(real)
            assert not problem, f"{block.place}: {problem}"

    def _here(self, text: str) -> str:
        for named, here in self._instead.items():
            text = text.replace(named, here)
        return text
