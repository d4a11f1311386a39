"""Janitor: a clock, a set of plain task functions, and a memory."""

from pathlib import Path


def _stated_version() -> str:
    """Return the version that the checkout states, or the one that was installed with the package."""
    stated = Path(__file__).resolve().parent.parent / ".release-version"
    if stated.is_file():
        return stated.read_text(encoding="utf-8").strip()
    from importlib import metadata  # takes as long to import as a tenth of all else

    return metadata.version("janitor")


__version__ = _stated_version()
