"""Attempts that failed: how many may, by whom and from where, and how long the next ones must wait."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from janitor.web.access import attempts
from janitor.web.access.attempts import Failures
from janitor.web.access.gate import Gate
from tests.small_engine import empty_state, settings_for
from tests.web.access.guarded import SETTINGS, sqlite

Clock = Callable[[float], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the time that `limits` sees."""

    def set_to(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: 1_800_000_000 + seconds)

    set_to(0)
    return set_to


def fail(failures: Failures, user: str, address: str, times: int = 1) -> None:
    """Fail some times, each of them allowed."""
    for _ in range(times):
        assert failures.wait_seconds(user, address) == 0
        failures.add(user, address)


def test_five_failures_by_a_user_from_an_address(clock: Clock) -> None:
    failures = Failures()
    clock(100)
    fail(failures, "anna", "10.0.0.1", 5)
    clock(150)
    assert failures.wait_seconds("anna", "10.0.0.1") == pytest.approx(250)
    assert failures.wait_seconds("anna", "10.0.0.2") == 0 == failures.wait_seconds("ben", "10.0.0.1")
    clock(399)
    assert failures.wait_seconds("anna", "10.0.0.1") == pytest.approx(1)
    clock(400.5)
    assert failures.wait_seconds("anna", "10.0.0.1") == 0


def test_the_window_moves_failure_by_failure(clock: Clock) -> None:
    failures = Failures()
    for second in (0, 10, 20, 30, 40):
        clock(second)
        fail(failures, "anna", "10.0.0.1")
    clock(300.5)
    fail(failures, "anna", "10.0.0.1")
    assert failures.wait_seconds("anna", "10.0.0.1") == pytest.approx(9.5)


def test_twenty_failures_from_an_address(clock: Clock) -> None:
    failures = Failures()
    for number in range(5):
        fail(failures, f"user {number}", "10.0.0.1", 4)
    clock(1)
    assert failures.wait_seconds("somebody", "10.0.0.1") == pytest.approx(299)
    assert failures.wait_seconds("somebody", "10.0.0.2") == 0


def test_twenty_failures_by_a_user(clock: Clock) -> None:
    failures = Failures()
    for number in range(5):
        fail(failures, "anna", f"10.0.0.{number}", 4)
    clock(1)
    assert failures.wait_seconds("anna", "10.0.0.9") == pytest.approx(299)
    assert failures.wait_seconds("ben", "10.0.0.9") == 0


def test_new_names_and_addresses_do_not_fill_the_memory(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MOST_KEYS", 300)
    failures = Failures()
    for number in range(400):
        failures.add(f"user {number}", f"host {number}")
        assert len(failures) <= 300


def test_the_newest_failures_are_kept_if_there_are_too_many(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MOST_KEYS", 300)
    failures = Failures()
    fail(failures, "anna", "10.0.0.1", 5)
    for number in range(100):
        clock(1 + number / 10)
        if number == 90:
            fail(failures, "ben", "10.0.0.2", 5)
        failures.add(f"user {number}", f"host {number}")
    assert failures.wait_seconds("ben", "10.0.0.2") == pytest.approx(299.1)
    assert failures.wait_seconds("anna", "10.0.0.1") == 0


def test_a_success_neither_counts_nor_forgets(tmp_path: Path, clock: Clock) -> None:
    gate = gate_of(tmp_path)
    for _ in range(40):
        user, wait_seconds = gate.attempt("anna", "annas password", "10.0.0.1")
        assert user is not None and wait_seconds == 0
    for _ in range(4):
        assert gate.attempt("anna", "a guess", "10.0.0.1") == (None, 0)
    assert gate.attempt("anna", "annas password", "10.0.0.1")[0] is not None
    assert gate.attempt("anna", "a guess", "10.0.0.1") == (None, 0)
    user, wait_seconds = gate.attempt("anna", "annas password", "10.0.0.1")
    assert user is None and wait_seconds == pytest.approx(300)


def test_guesses_made_at_once_are_no_more_than_five(tmp_path: Path, clock: Clock) -> None:
    gate = gate_of(tmp_path)
    with ThreadPoolExecutor(30) as pool:
        found = list(pool.map(lambda number: gate.attempt("anna", f"guess {number}", "10.0.0.1"), range(30)))
    assert sum(wait_seconds == 0 for _, wait_seconds in found) == 5


def gate_of(folder: Path) -> Gate:
    """A gate where anna signs in."""
    return Gate(settings_for(empty_state(sqlite(), folder), folder, **SETTINGS))
