"""The target refuses some rows under a daemon and a writer: the others are written, and nothing is lost."""

import pytest

from tests.faults.conftest import MakeHouse
from tests.faults.fault import begin, go_through
from tests.faults.refused_rows import refused_rows
from tests.servers import SqlServer


@pytest.mark.whole_form
@pytest.mark.timeout(600)
def test_refused_rows_hold_up_no_other(make_house: MakeHouse, mariadb: SqlServer) -> None:
    """Given: a daemon and a writer, and no reconcile that would mend anything.

    Happens: the target gets a CHECK, triggers, a foreign key, a unique index and a column more, one after another.
    Must hold: the rows that the server refuses wait in quarantine with its words, and all others are stored. Once
    nothing refuses them, they are stored without anybody's help.
    """
    house = make_house()
    begin(house, mariadb, follows_alone=True)
    go_through(house, refused_rows(house, mariadb), "rows")
