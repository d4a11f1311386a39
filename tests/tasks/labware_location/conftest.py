"""LabWhere for the tests of labware_location."""

import pytest

from tests.fixtures import Warehouses
from tests.tasks.labware_location.labwhere import LabWhere


@pytest.fixture
def lab(warehouses: Warehouses) -> LabWhere:
    """LabWhere, empty, on SQLite and on the server."""
    return LabWhere(warehouses.labwhere)
