"""Accounts: passwords as hashes, and what WEB_USERS holds."""

import hashlib

import pytest

from janitor.errors import BadSetting
from janitor.settings import accounts
from janitor.settings.accounts import Hash


def test_a_password_fits_its_hash_and_no_other() -> None:
    made = Hash.of("correct horse")
    assert "correct" not in str(made)
    again = Hash.read(str(made))
    assert again.fits("correct horse") and not again.fits("correct horsf") and not again.fits("")
    # What is written is scrypt as anybody else computes it.
    assert hashlib.scrypt(b"correct horse", salt=made.salt, n=made.cost, r=8, p=10, dklen=32) == made.digest
    assert Hash.of("correct horse") != made, "two hashes share a salt"


def test_a_password_has_8_characters_at_least() -> None:
    with pytest.raises(BadSetting, match="8 to 1024 characters"):
        Hash.of("sevench")
    with pytest.raises(BadSetting) as caught:
        Hash.of("x" * 1025)
    assert "xxx" not in str(caught.value)


HASH = str(Hash(16, 8, 1, b"salt" * 4, b"d" * 32))


def test_accounts_have_a_name_a_role_and_a_hash() -> None:
    found = accounts.read(f"anna:operator:{HASH}\n  ben@lab.example:viewer:{HASH}")
    assert [(one.name, one.role) for one in found.values()] == [("anna", "operator"), ("ben@lab.example", "viewer")]
    assert str(found["anna"].hash) == HASH


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("anna", "entry 1 is not of the form name:role:hash"),
        (f"anna:operator:{HASH} :viewer:{HASH}", "entry 2 is not of the form"),
        (f"anna:admin:{HASH}", "anna, needs a role between two colons: viewer or operator"),
        (f"anna:operator:{HASH} anna:viewer:{HASH}", "anna is there twice"),
        ("anna:operator:secret-in-clear", "anna, has no hash that the verb `password` makes"),
        (f"anna:operator:{HASH[:-4]}", "has no hash"),
        (f"anna:operator:{HASH.replace('.16.', '.15.')}", "has no hash"),
        (f"anna:operator:{HASH.replace('.16.', '.1073741824.')}", "has no hash"),
        (f"anna:operator:{HASH.replace('scrypt', 'md5')}", "has no hash"),
        (f"anna:operator:{HASH}!", "has no hash"),
    ],
)
def test_a_malformed_account_is_named_without_its_hash(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        accounts.read(text)
    assert says in str(caught.value)
    assert HASH[-20:] not in str(caught.value) and "secret" not in str(caught.value)
    assert caught.value.__cause__ is None and (caught.value.__context__ is None or caught.value.__suppress_context__)
