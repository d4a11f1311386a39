"""The gate: sessions that outlive a restart, and end with a password or with time."""

import time
from pathlib import Path

import pytest

from janitor.settings.accounts import Account
from janitor.web.access.gate import Gate, User
from tests.small_engine import empty_state, settings_for
from tests.web.access.guarded import SETTINGS, USERS, hashed, sqlite


def test_sessions_end_with_the_password_and_with_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(**more: str) -> Gate:
        settings = SETTINGS | more
        return Gate(settings_for(empty_state(sqlite(), tmp_path), tmp_path, **settings))

    cookie = made().signed(User("anna", "operator"))
    session = made().session(cookie)
    assert session is not None and session.user == User("anna", "operator"), "it outlives a restart"
    assert made(WEB_USERS=USERS.replace(hashed("bens password"), hashed("another password"))).session(cookie) is None
    assert made(WEB_OPERATOR_TOKEN="another-token-0123456789").session(cookie) is None
    # Its last character holds bits that nobody reads: the first one of the signature counts.
    head, _, signature = cookie.rpartition(".")
    assert made().session(f"{head}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}") is None
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 12 * 3600 - 5)
    assert made().session(cookie) is not None
    monkeypatch.setattr(time, "time", lambda: now + 12 * 3600 + 5)
    assert made().session(cookie) is None


def test_a_token_that_is_replaced_in_its_file_is_of_no_more_use(tmp_path: Path) -> None:
    # Given: users and a token in files. What happens: they are replaced; then the files are emptied.
    # What must hold: within a second the old token lets nobody in, and sessions of before have ended. What an empty
    # file holds cannot be right: nobody else comes in, and the newest token still does.
    clock, settings = [100.0], {name: value for name, value in SETTINGS.items() if name.startswith("WEB_")}
    files = {name: tmp_path / name.lower() for name in ("WEB_USERS", "WEB_OPERATOR_TOKEN")}
    for name, file in files.items():
        file.write_text(settings.pop(name), encoding="utf-8")
    settings |= {f"{name}_FILE": str(file) for name, file in files.items()}
    gate = Gate(settings_for(empty_state(sqlite(), tmp_path), tmp_path, **settings), clock=lambda: clock[0])
    cookie = gate.signed(User("anna", "operator"))
    operator = User("operator token", "operator")
    assert gate.of_token(SETTINGS["WEB_OPERATOR_TOKEN"]) == operator and gate.session(cookie) is not None
    files["WEB_OPERATOR_TOKEN"].write_text("a-newer-token-0123456789\n", encoding="utf-8")
    gate.look_again()
    assert gate.session(cookie) is not None
    clock[0] += 1
    gate.look_again()
    assert gate.of_token(SETTINGS["WEB_OPERATOR_TOKEN"]) is None and gate.session(cookie) is None
    assert gate.of_token("a-newer-token-0123456789") == operator
    files["WEB_USERS"].write_text(f"olga:viewer:{hashed('olgas password')}", encoding="utf-8")
    files["WEB_OPERATOR_TOKEN"].write_text("", encoding="utf-8")
    clock[0] += 1
    gate.look_again()
    assert gate.of_token("a-newer-token-0123456789") == operator and gate.of_token("") is None
    assert gate.knows("olga") and not gate.knows("anna") and not gate.is_open


def test_roles_are_those_of_today(tmp_path: Path) -> None:
    url = empty_state(sqlite(), tmp_path)
    cookie = Gate(settings_for(url, tmp_path, **SETTINGS)).signed(User("ben", "operator"))
    session = Gate(settings_for(url, tmp_path, **SETTINGS)).session(cookie)
    assert session is not None and session.user.role == "viewer"


class Counting:
    """A hash that counts how often it is compared."""

    def __init__(self) -> None:
        self.compared = 0

    def fits(self, password: str) -> bool:
        """Every password fits."""
        self.compared += 1
        return True


def test_an_unknown_name_costs_a_comparison_too(tmp_path: Path) -> None:
    gate, hashes = counted(tmp_path)
    assert gate.attempt("nobody", "any password", "10.0.0.1") == (None, 0)
    assert sum(counting.compared for counting in hashes) == 1
    assert gate.attempt("anna", "any password", "10.0.0.1") == (User("anna", "operator"), 0)


def test_unknown_names_take_as_long_as_different_known_ones(tmp_path: Path) -> None:
    gate, hashes = counted(tmp_path)
    chosen = []
    for number in range(40):
        before = [counting.compared for counting in hashes]
        for _ in range(2):
            gate.attempt(f"nobody {number}", "any password", f"10.0.0.{number}")
        chosen.append([counting.compared - count for counting, count in zip(hashes, before, strict=True)])
    assert {tuple(counts) for counts in chosen} == {(2, 0, 0), (0, 2, 0), (0, 0, 2)}


def counted(folder: Path) -> tuple[Gate, list[Counting]]:
    """A gate with three accounts, and their hashes, which count."""
    gate, hashes = Gate(settings_for(empty_state(sqlite(), folder), folder, **SETTINGS)), list[Counting]()
    for name, account in gate._known.accounts.items():
        hashes.append(Counting())
        gate._known.accounts[name] = Account(name, account.role, hashes[-1])
    return gate, hashes
