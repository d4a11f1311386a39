"""Descriptions of jobs: each is kept once, and found by its digest."""

from sqlalchemy import func, select

from janitor.state import State, description_records
from janitor.state.tables import configs


def test_a_description_is_kept_once_and_found(state: State) -> None:
    text, other = '{"id": "crawl", "notes": "für äöü \U0001f9ea"}', '{"id": "report"}'
    for content in (text, text, other):
        with state.begin() as connection:
            description_records.keep(connection, content)
    with state.read() as connection:
        assert description_records.load(connection, description_records.digest(text)) == text
        assert description_records.load(connection, description_records.digest(other)) == other
        assert connection.execute(select(func.count()).select_from(configs)).scalar_one() == 2


def test_a_description_that_is_not_on_record_is_none(state: State) -> None:
    with state.read() as connection:
        assert description_records.load(connection, description_records.digest("{}")) is None
        assert description_records.load(connection, None) is None


def test_digests_fit_their_column_and_never_change() -> None:
    # Digests are on record: another digest for the same text would keep every description twice.
    assert description_records.digest("{}").hex() == "2afb9b83f9314e5d029766197f539792"
    assert len(description_records.digest("x" * 100_000)) == 16
