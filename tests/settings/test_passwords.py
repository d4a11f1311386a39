"""Passwords as hashes: which fit, how they are written, and that old hashes stay valid."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

from janitor.errors import BadSetting
from janitor.settings import passwords

OLD = "scrypt.8192.8.10.c2FsdHNhbHRzYWx0c2FsdA.oFrIsN0xEfk7yddKngTIMWJ3qr7mcgr_h6dQymeh9wo"
"""`correct horse`, as releases before argon2id wrote it."""
STANDARD = "$argon2id$v=19$m=7168,t=20,p=1$c2FsdHNhbHRzYWx0c2FsdA$"


def test_a_password_fits_its_hash_and_no_other() -> None:
    made = passwords.hashed("correct horse")
    assert "correct" not in str(made) and str(made).startswith("argon2id.19.7168.20.1.")
    again = passwords.read(str(made))
    assert again == made
    assert again.fits("correct horse") and not again.fits("correct horsf") and not again.fits("")
    assert passwords.hashed("correct horse") != made, "two hashes share a salt"


def test_a_hash_is_argon2id_as_anybody_computes_it() -> None:
    from argon2.low_level import Type, hash_secret_raw

    made = passwords.hashed("correct hörse \ud800")
    text = "correct hörse \ud800".encode("utf-8", "surrogatepass")
    assert hash_secret_raw(text, made.salt, 20, 7168, 1, 32, Type.ID) == made.digest


def test_a_hash_of_an_earlier_release_stays_valid() -> None:
    found = passwords.read(OLD)
    assert str(found) == OLD
    assert found.fits("correct horse") and not found.fits("correct horsf")


def test_a_password_has_8_characters_at_least() -> None:
    with pytest.raises(BadSetting, match="8 to 1024 characters"):
        passwords.hashed("sevench")
    with pytest.raises(BadSetting) as caught:
        passwords.hashed("x" * 1025)
    assert "xxx" not in str(caught.value)


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_hash_survives_shells_and_env_files(tmp_path: Path, quote: str) -> None:
    given = str(passwords.hashed("correct horse"))
    assert re.fullmatch(r"[A-Za-z0-9._-]+", given)
    assert shlex.quote(given) == given, "a shell changes none of it"
    (tmp_path / ".env").write_text(f"WEB_USERS={quote}anna:operator:{given}{quote}\n", encoding="utf-8")
    assert dotenv_values(tmp_path / ".env")["WEB_USERS"] == f"anna:operator:{given}"
    said = subprocess.run(["sh", "-c", f"echo {quote}{given}{quote}"], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == given


@pytest.mark.parametrize(
    "text",
    [
        OLD[:-4],
        OLD.replace(".8192.", ".8191."),
        OLD.replace(".8192.", ".1073741824."),
        OLD.replace(".8.10.", ".8.1000."),
        OLD.replace("scrypt", "md5"),
        f"{OLD}!",
        "argon2id.18.7168.20.1.c2FsdHNhbHRzYWx0c2FsdA.oFrIsN0xEfk7yddKngTIMWJ3qr7mcgr_h6dQymeh9wo",
        "argon2id.19.7.20.1.c2FsdHNhbHRzYWx0c2FsdA.oFrIsN0xEfk7yddKngTIMWJ3qr7mcgr_h6dQymeh9wo",
        "argon2id.19.999999999.20.1.c2FsdHNhbHRzYWx0c2FsdA.oFrIsN0xEfk7yddKngTIMWJ3qr7mcgr_h6dQymeh9wo",
        "argon2id.19.7168.9999.1.c2FsdHNhbHRzYWx0c2FsdA.oFrIsN0xEfk7yddKngTIMWJ3qr7mcgr_h6dQymeh9wo",
        "argon2id.19.7168.20.99.c2FsdHNhbHRzYWx0c2FsdA.oFrIsN0xEfk7yddKngTIMWJ3qr7mcgr_h6dQymeh9wo",
        "argon2id.19.7168.20.1.c2Fs.oFrIsN0xEfk7yddKngTIMWJ3qr7mcgr_h6dQymeh9wo",
        f"{STANDARD}oFrIsN0xEfk7yddKngTIMWJ3qr7mcgr/h6dQymeh9wo",
        "",
    ],
)
def test_what_is_no_hash_or_costs_too_much_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        passwords.read(text)
