"""Who may sign in to the dashboard: the names, roles and passwords in `WEB_USERS`."""

import re
from dataclasses import dataclass
from typing import Literal, cast

from janitor.settings import passwords
from janitor.settings.passwords import Hash

Role = Literal["viewer", "operator"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


@dataclass(frozen=True)
class Account:
    """A person who may sign in."""

    name: str
    role: Role
    hash: Hash


def read(text: str) -> dict[str, Account]:
    """The accounts in `WEB_USERS`, by name: `name:role:hash`, separated by blanks.

    Raises:
        ValueError: an account is malformed; the error says which, and repeats no hash.
    """
    found: dict[str, Account] = {}
    for number, entry in enumerate(text.split(), 1):
        account = _account(entry, f"entry {number}")
        if account.name in found:
            raise ValueError(f"{account.name} is there twice")
        found[account.name] = account
    return found


def _account(entry: str, where: str) -> Account:
    name, _, rest = entry.partition(":")
    role, _, hashed = rest.partition(":")
    if not _NAME.fullmatch(name) or not rest:
        raise ValueError(f"{where} is not of the form name:role:hash, its name of letters, digits and . _ @ + -")
    if role not in ("viewer", "operator"):
        raise ValueError(f"{where}, {name}, needs a role between two colons: viewer or operator")
    try:
        return Account(name, cast(Role, role), passwords.read(hashed))
    except ValueError:
        # The cause would carry the hash into a traceback.
        raise ValueError(f"{where}, {name}, has no hash that the verb `password` makes") from None
