"""Sources go backwards under a daemon and a writer: nothing is taken meanwhile, and nothing is lost after it."""

import pytest

from tests.faults.conftest import MakeHouse
from tests.faults.fault import begin, go_through
from tests.faults.gone_back import gone_back
from tests.servers import SqlServer


@pytest.mark.whole_form
@pytest.mark.timeout(600)
def test_sources_that_go_backwards_lose_nothing(make_house: MakeHouse, mariadb: SqlServer) -> None:
    """Given: a daemon, a writer, and a consumer.

    Happens: LabWhere and then MLWH lag behind what was read, are restored from a backup, and give ids anew.
    Must hold: the jobs of that source fail in words, and take, write and publish nothing until the source is as it was
    or a person has set the cursor. Then they go on, and in the end all is as the sources say.
    """
    house = make_house()
    begin(house, mariadb)
    go_through(house, gone_back(house, mariadb), "backwards")
