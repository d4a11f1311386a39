"""The README of each example: its command, typed as it stands there, prints what stands there."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.command_line import ROOT, wait_for
from tests.outside import Inbox

EXAMPLES = ("messages", "nightly_report", "sync_table")
DAEMONS = ("sync_table",)
"""The examples whose command goes on until Ctrl-C."""
NUMBER = re.compile(r"\d+(\.\d+)?")


def blocks(example: str) -> list[list[str]]:
    """The indented blocks of a README, each as its lines."""
    text = (ROOT / "examples" / example / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"(?:^    .+\n)+", text, re.MULTILINE)
    return [[line.strip() for line in block.splitlines()] for block in found]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that has what a checkout has, and a `var/` of its own; `python` is this interpreter."""
    for name in ("run.py", "janitor", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "bin" / "python").chmod(0o755)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES)
def test_the_command_prints_what_the_readme_shows(example: str, checkout: Path) -> None:
    commands, printed, *_ = blocks(example)
    assert typed(commands, checkout, printed, until_shown=example in DAEMONS) == 0


@pytest.mark.slow
def test_the_readme_shows_a_nightly_report_by_mail(checkout: Path) -> None:
    first, _, alone, skipped, mailing, mailed = blocks("nightly_report")
    assert typed(first, checkout) == 0
    assert typed(alone, checkout, skipped) == 3
    with Inbox().open() as inbox:
        here = [line.replace("MAIL_PORT=1025", f"MAIL_PORT={inbox.port}") for line in mailing]
        assert typed(here, checkout, mailed) == 0
    assert [mail.to for mail in inbox.mails] == [["anna@example.org"]] * 7


def typed(commands: list[str], checkout: Path, printed: Sequence[str] = (), until_shown: bool = False) -> int:
    """Type commands as a README has them, and return the exit code; they print what stands there.

    If they go on until Ctrl-C, that comes once all is shown.
    """
    wanted = [NUMBER.sub("0", line.removeprefix("... ")) for line in printed]
    environment = {"PATH": f"{checkout / 'bin'}:{os.environ['PATH']}", "WEB_ENABLED": "false"}
    output = checkout / "output.txt"
    with (
        output.open("wb") as file,
        subprocess.Popen(
            ["bash", "-c", "\n".join(commands)],
            cwd=checkout,
            env=environment,
            stdout=file,
            stderr=file,
            start_new_session=True,
        ) as process,
    ):
        try:
            wait_for(lambda: process.poll() is not None or (until_shown and shown(output, wanted)))
            assert shown(output, wanted), output.read_text(encoding="utf-8")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
    return process.returncode


def shown(output: Path, wanted: list[str]) -> bool:
    """Whether each of the lines is there, whatever its numbers are."""
    text = NUMBER.sub("0", output.read_text(encoding="utf-8"))
    return all(line in text for line in wanted)
