"""Accounts: what WEB_USERS holds."""

import pytest

from janitor.settings import accounts
from janitor.settings.passwords import Argon2

HASH = str(Argon2(7168, 5, 1, b"salt" * 4, b"d" * 32))


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
        (f"anna:operator:{HASH.replace('argon2id', 'md5')}", "has no hash"),
        (f"anna:operator:{HASH}!", "has no hash"),
    ],
)
def test_a_malformed_account_is_named_without_its_hash(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        accounts.read(text)
    assert says in str(caught.value)
    assert HASH[-20:] not in str(caught.value) and "secret" not in str(caught.value)
    assert caught.value.__cause__ is None and (caught.value.__context__ is None or caught.value.__suppress_context__)
