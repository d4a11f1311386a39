"""A page of the documentation as the blocks of code in it.

A block of `console` shows commands, each behind `$ `, and what they print. A block below a line with a file's name in
bold is that file. A block of `sh` without a name shows commands for another machine. There is no other block.

    **run.py**                                a file
    **.env**, at the end                      lines to add to a file
    **run.py**, before `return scheduler`     lines to put before the line that begins so
    **run.py**, in place of `old = `          lines to put in place of the line that begins so
"""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

HEADING = re.compile(
    r"\*\*(?P<name>[\w./@-]+)\*\*(?:, (?:(?P<end>at the end)|(?P<how>before|in place of) `(?P<line>[^`]+)`))?:?"
)
FENCE = re.compile(r"(?P<indent> *)(?P<fence>```+)(?P<language>[\w-]*)\s*")


@dataclass(frozen=True)
class Command:
    """A command of a page, and the lines that it prints there."""

    text: str
    printed: tuple[str, ...]

    @property
    def code(self) -> int:
        """The exit code that the page tells in a comment behind the command; 0 if it tells none."""
        told = re.search(r"  # exit code (\d+)$", self.text)
        return int(told[1]) if told else 0


@dataclass(frozen=True)
class Block:
    """One block of a page: its language, its lines, and the file that it is or belongs to."""

    page: Path
    line: int
    language: str
    text: str
    file: str = ""
    at_end: bool = False
    beside: str = ""
    instead: bool = False

    @property
    def place(self) -> str:
        """Where the block stands, for a person."""
        return f"{self.page.name}:{self.line}"

    @property
    def commands(self) -> list[Command]:
        """The commands of a `console` block; a line behind `> ` goes on with the command above it."""
        found: list[list[str]] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found.append([line.removeprefix("$ ")])
            elif line.startswith("> ") and len(found[-1]) == 1:
                found[-1][0] += f"\n{line.removeprefix('> ')}"
            else:
                assert found, f"{self.place}: a console block begins with a command, behind `$ `"
                found[-1].append(line)
        return [Command(text, tuple(printed)) for text, *printed in found]

    def written_to(self, folder: Path) -> Path:
        """Write the file that the block is, or put its lines into the file that is there; the file's path."""
        path = folder / self.file.lstrip("/")
        there = path.read_text(encoding="utf-8") if self.at_end or self.beside else ""
        text = self._put_beside(there) if self.beside else there + self.text
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def _put_beside(self, there: str) -> str:
        lines = there.splitlines(keepends=True)
        numbers = [number for number, line in enumerate(lines) if line.strip().startswith(self.beside)]
        assert numbers, f"{self.place}: {self.file} has no line {self.beside!r}"
        at = numbers[-1]
        indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        return "".join([*lines[:at], textwrap.indent(self.text, indent), *lines[at + self.instead :]])


def blocks(page: Path) -> list[Block]:
    """Every block of a page, in order.

    Raises:
        AssertionError: a block has no end.
    """
    found = list[Block]()
    opened: tuple[re.Match[str], int] | None = None
    heading = ""
    inside: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if opened is not None and line.strip() == opened[0]["fence"]:
            found.append(_block(page, opened[1], opened[0]["language"], inside, heading))
            opened, inside, heading = None, [], ""
        elif opened is not None:
            inside.append(line.removeprefix(opened[0]["indent"]))
        elif fence := FENCE.fullmatch(line):
            opened = (fence, number)
        elif line.strip():
            heading = line.strip()
    assert opened is None, f"{page.name}:{opened[1]}: this block has no end"
    return found


def _block(page: Path, line: int, language: str, lines: list[str], heading: str) -> Block:
    text = "".join(f"{one}\n" for one in lines)
    named = None if language == "console" else HEADING.fullmatch(heading)
    if named is None:
        return Block(page, line, language, text)
    return Block(
        page,
        line,
        language,
        text,
        named["name"],
        bool(named["end"]),
        named["line"] or "",
        named["how"] == "in place of",
    )
