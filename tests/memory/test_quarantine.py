"""A task's quarantine: kept until settled, and told once."""

from datetime import timedelta

from janitor import memory
from janitor.memory import Quarantine, Quarantined
from janitor.runs import Run
from janitor.state import State, quarantine


def test_quarantine_keeps_until_it_is_settled(run: Run, state: State) -> None:
    bad = [
        Quarantined("sample a", "no name", "1"),
        Quarantined("sample a", "no name", "2"),
        Quarantined("b", "too long", "1"),
    ]
    assert [row.key for row in Quarantine("q").settle(["1", "2"], bad)] == ["sample a", "b"]
    assert Quarantine("q").settle(["1", "2"], bad) == []
    assert len(Quarantine("q")) == 2
    with state.read() as connection:
        assert [(row.key, row.reason, row.items) for row in quarantine.listing(connection, "q")] == [
            ("b", "too long", 1),
            ("sample a", "no name", 2),
        ]
    Quarantine("q").settle(["1"], [])
    assert list(memory.quarantined("q")) == [[("sample a", "2")]]
    Quarantine("q").settle(["2", "3"], [])
    assert len(Quarantine("q")) == 0


def test_quarantine_tells_of_another_reason(run: Run) -> None:
    Quarantine("q").settle(["1"], [Quarantined("a", "no name", "1")])
    again = Quarantine("q").settle(["1"], [Quarantined("a", "too long", "1")])
    assert [row.reason for row in again] == ["too long"]


def test_a_known_key_is_not_told_again(run: Run) -> None:
    Quarantine("q").settle(["1"], [Quarantined("a", "no name", "1")])
    assert Quarantine("q").settle(["2"], [Quarantined("a", "no name", "2")]) == []


def test_a_key_that_is_kept_in_short_is_told_once(run: Run) -> None:
    # A long key, and one with half a character, are kept in another form than the task's.
    bad = [Quarantined("k" * 300, "no name", "1"), Quarantined("half \udc80", "no name", "1")]
    assert len(Quarantine("q").settle(["1"], bad)) == 2
    assert Quarantine("q").settle(["1"], bad) == []
    assert len(Quarantine("q")) == 2


def test_quarantine_comes_in_pages(run: Run) -> None:
    Quarantine("q").settle([], [Quarantined(f"key {number:04}", "bad", "x") for number in range(7)])
    assert [len(page) for page in memory.quarantined("q", page_rows=3)] == [3, 3, 1]


def test_what_was_checked_longest_ago_comes_first(run: Run, state: State) -> None:
    for hours, key in ((3, "a"), (2, "b"), (1, "c")):
        with state.begin() as connection:
            quarantine.put(connection, "q", [Quarantined(key, "bad", key)], run.started_at - timedelta(hours=hours), 1)
    memory.looked_at("q", [("a", "a")])
    assert memory.checked_longest_ago("q", 2) == [("b", "b"), ("c", "c")]
    Quarantine("q").settle(["b"], [Quarantined("b", "bad", "b")])
    assert memory.checked_longest_ago("q", 1) == [("c", "c")]


def test_what_comes_in_and_is_mended_within_a_run_leaves(run: Run) -> None:
    kept = Quarantine("q")
    assert kept.settle(["1"], []) == []
    kept.settle(["1"], [Quarantined("a", "no name", "1")])
    kept.settle(["1"], [])
    assert len(kept) == 0


def test_secrets_are_taken_out_of_reasons(run: Run, state: State) -> None:
    run.mask = lambda text: text.replace("s3cret", "***")
    Quarantine("q").settle(["1"], [Quarantined("a", "user 's3cret' may not", "1")])
    with state.read() as connection:
        assert [row.reason for row in quarantine.listing(connection, "q")] == ["user '***' may not"]
