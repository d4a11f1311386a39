"""Every block of code in the tutorial and the how-to pages, run as a reader would, or checked if it cannot run here."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.docs.blocks import blocks
from tests.docs.project import HOW_TO, TUTORIAL, Reader, copied, free_ports
from tests.docs.shell import shell


def read(pages: Sequence[Path], folder: Path) -> None:
    """Follow the pages, each with a shell of its own, in one copy of the project."""
    made, ports = copied(folder), free_ports()
    for page in pages:
        with shell(made, {"WEB_PORT": ports["8080"]}) as typed:
            reader = Reader(made, typed, ports)
            for block in blocks(page):
                reader.follow(block)


def test_the_tutorial_leads_from_nothing_to_a_daemon(tmp_path: Path) -> None:
    assert TUTORIAL, "the tutorial has pages"
    read(TUTORIAL, tmp_path)


@pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.stem)
def test_a_how_to_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    read([page], tmp_path)
