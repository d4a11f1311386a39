"""The command lines that the tests of verbs use."""

from pathlib import Path

import pytest

from tests.command_line import CommandLine


@pytest.fixture
def house(tmp_path: Path) -> CommandLine:
    """The command line of the small house."""
    return CommandLine(tmp_path, ("-m", "tests.small_house"))


@pytest.fixture
def janitor(tmp_path: Path) -> CommandLine:
    """The command line of Janitor itself."""
    return CommandLine(tmp_path)
