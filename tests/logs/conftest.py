"""Each test leaves the root logger as it was."""

import logging
import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """The root logger; after the test it is as it was before."""
    root = logging.getLogger()
    kept, level, hook = root.handlers[:], root.level, threading.excepthook
    yield root
    root.handlers[:], threading.excepthook = kept, hook
    root.setLevel(level)
    logging.captureWarnings(False)
