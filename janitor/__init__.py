"""Janitor: a clock, a set of plain task functions, and a memory."""

from importlib import metadata
from pathlib import Path


def _stated_version() -> str:
    """Return the version that the checkout states, or the one that was installed with the package."""
    stated = Path(__file__).resolve().parent.parent / ".release-version"
    return stated.read_text(encoding="utf-8").strip() if stated.is_file() else metadata.version("janitor")


__version__ = _stated_version()
