"""The queue worker for analyses: its one command starts everything, and a browser sees what becomes of each request."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.command_line import ROOT
from tests.servers.socket_io import node_modules
from tests.web.browser.chromium import chromium

WAIT = 90_000.0
"""Milliseconds."""
TOKEN = b"of-the-browser"
BECOMES = {
    "count-1": ("processed", "clusters"),
    "embed-1": ("processed", "places"),
    "genes-1": ("processed", "genes"),
    "no-cells-1": ("failed", "NO_CELLS: There are no cells to look at."),
    "expired-1": ("dead letter", "expired: its time was over"),
    "malformed-1": ("dead letter", "malformed: it does not fit its schema: body/cells: it must be of type integer"),
    "unknown-1": ("dead letter", "unknown task: its body.name names no task"),
    "crash-1": ("failed", ""),
}
"""What a browser sees of each request in the end: its status, and what stands beside it."""


@contextmanager
def demo(folder: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """The example's one command; what it leaves is in `folder`."""
    environment = {**os.environ, "NODE_PATH": str(node_modules()), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "examples.worker.demo", "--folder", str(folder), *options]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def printed_until(process: "subprocess.Popen[str]", wanted: str) -> str:
    """What the command prints after some words."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(rf"{wanted}\s*(\S+)", line):
            return found[1]
    raise AssertionError(f"it never printed {wanted!r}")


def row(page: Page, key: str, cell: int) -> str:
    """The place of a cell in a request's row."""
    return f"#request-{key} td:nth-child({cell})"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_browser_sees_what_becomes_of_each_request(tmp_path: Path) -> None:
    # Given: the example's one command, and a browser at its page. What happens: requests of every kind come by the
    # queue. What must hold: the browser is told of each; results lie in the bucket with their tags; and the token that
    # came with the requests lies nowhere.
    if shutil.which("redis-server") is None or shutil.which("node") is None:
        pytest.skip("redis-server or node is not installed")
    with demo(tmp_path, "--seconds", "60", "--wait-for", str(tmp_path / "go")) as process, chromium() as browser:
        page = browser.new_page()
        page.goto(printed_until(process, "the page:"))
        expect(page.locator("#state")).to_have_text("connected", timeout=WAIT)
        (tmp_path / "go").touch()
        expect(page.locator(row(page, "embed-1", 2))).to_contain_text("at work for", timeout=WAIT)
        for key, (status, result) in BECOMES.items():
            expect(page.locator(row(page, key, 2))).to_have_text(status, timeout=WAIT)
            expect(page.locator(row(page, key, 3))).to_contain_text(result, timeout=WAIT)
        assert process.stdout is not None
        rest = process.stdout.read()
    stored = dict(re.findall(r"stored (\S+): \d+ bytes, (.*)", rest))
    assert stored == {
        key: str({"experimentId": "e-1", "requestType": name})
        for key, name in (("count-1", "CountCells"), ("embed-1", "Embed"), ("genes-1", "MarkerGenes"))
    }
    assert [path.name for path in tmp_path.rglob("*") if path.is_file() and TOKEN in path.read_bytes()] == []
