"""What is left for --all: one of two tests that ask the same of two kinds of server, and no other test."""

from typing import Any

from tests.kinds import left_for_all


class Named:
    """A test of which only the name is asked."""

    def __init__(self, nodeid: str) -> None:
        self.nodeid = nodeid


def left(*names: str) -> set[str]:
    items: Any = [Named(name) for name in names]
    return {item.nodeid for item in left_for_all(items)}


def test_of_two_kinds_one_is_left_and_each_kind_is_tried() -> None:
    names = [f"t.py::test_{number}[{kind}]" for number in range(40) for kind in ("sqlite", "mariadb")]
    found = left(*names)
    assert {name.partition("[")[0] for name in found} == {name.partition("[")[0] for name in names}
    assert len(found) == 40 and 10 < sum("sqlite" in name for name in found) < 30


def test_other_parameters_stay_together_with_their_kind() -> None:
    found = left("t.py::test[sqlite-a]", "t.py::test[sqlite-b]", "t.py::test[mariadb-a]", "t.py::test[mariadb-b]")
    assert len(found) == 2 and len({name.partition("[")[2].partition("-")[0] for name in found}) == 1


def test_what_is_tried_once_stays() -> None:
    alone = "t.py::test_a", "t.py::test_b[sqlite]", "t.py::test_c[mariadb-x]", "t.py::test_d[sqlite-mariadb]"
    assert left(*alone) == set()


def test_of_four_that_differ_in_two_kinds_one_is_tried() -> None:
    names = [f"t.py::test[{database}-{queue}]" for database in ("sqlite", "mariadb") for queue in ("fifo", "standard")]
    assert len(left(*names)) == 3
    assert len(left("t.py::test[quorum]", "t.py::test[classic]")) == 1
