"""Houses for the tests of who may do what."""

from collections.abc import Iterator

import pytest

from tests.web.access.guarded import SETTINGS, House, opened


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house where people sign in."""
    yield from opened(tmp_path_factory.mktemp("guarded"), **SETTINGS)


@pytest.fixture(scope="module")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that names nobody."""
    yield from opened(tmp_path_factory.mktemp("open"))
