"""Counts of two chunks make the counts of both."""

from janitor.table_sink import Compared, Refused, Written

FIRST, SECOND = Refused("DN1", "too long"), Refused("DN2", "too short")


def test_each_count_is_added_to_its_own_kind() -> None:
    assert Written(1, 20, 300, 4000, (FIRST,)) + Written(5, 60, 700, 8000, (SECOND,)) == Written(
        inserted=6, updated=80, unchanged=1000, older=12000, refused=(FIRST, SECOND)
    )
    assert Compared(1, 20, 300, 4000, (FIRST,)) + Compared(5, 60, 700, 8000, (SECOND,)) == Compared(
        missing=6, different=80, unchanged=1000, older=12000, refused=(FIRST, SECOND)
    )
