"""Who may sign in to the dashboard: names, roles, and passwords as scrypt hashes."""

import base64
import binascii
import hashlib
import hmac
import os
import re
from dataclasses import dataclass
from typing import Literal, cast

from janitor.errors import BadSetting

Role = Literal["viewer", "operator"]

COST, BLOCK, LANES = 2**13, 8, 10
"""What one guess costs: a quarter of a second and 8 MB, the least memory with which OWASP advises scrypt."""
MOST_COST, MOST_BLOCK, MOST_LANES = 2**17, 8, 16
MOST_MEMORY = 256 * 1024 * 1024
MOST_PASSWORD = 1024
SHORTEST_PASSWORD = 8

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


@dataclass(frozen=True)
class Hash:
    """A password's hash, with all that a comparison needs."""

    cost: int
    block: int
    lanes: int
    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, password: str) -> "Hash":
        """Hash a password, with a new salt.

        Raises:
            BadSetting: it is too short or too long.
        """
        if not SHORTEST_PASSWORD <= len(password) <= MOST_PASSWORD:
            help_text = f"give {SHORTEST_PASSWORD} to {MOST_PASSWORD} characters"
            raise BadSetting("the password", f"{len(password)} characters long", help_text)
        salt = os.urandom(16)
        return cls(COST, BLOCK, LANES, salt, _digest(password, salt, COST, BLOCK, LANES))

    @classmethod
    def read(cls, text: str) -> "Hash":
        """Read what `str` of a hash has written; ValueError where it is something else."""
        kind, cost, block, lanes, salt, digest = text.split(".")
        made = cls(int(cost), int(block), int(lanes), _bytes(salt), _bytes(digest))
        costs_fit = 2 <= made.cost <= MOST_COST and made.cost & (made.cost - 1) == 0
        if kind != "scrypt" or not costs_fit or not 0 < made.block <= MOST_BLOCK or not 0 < made.lanes <= MOST_LANES:
            raise ValueError("not a hash that `password` makes")
        if len(made.salt) < 8 or len(made.digest) != 32:
            raise ValueError("not a hash that `password` makes")
        return made

    def __str__(self) -> str:
        """The hash as a text without characters that mean something to a shell, to YAML or in `.env`."""
        return f"scrypt.{self.cost}.{self.block}.{self.lanes}.{_text(self.salt)}.{_text(self.digest)}"

    def fits(self, password: str) -> bool:
        """Whether this is the password; it takes as long where it is not."""
        given = _digest(password[:MOST_PASSWORD], self.salt, self.cost, self.block, self.lanes)
        return hmac.compare_digest(given, self.digest)


@dataclass(frozen=True)
class Account:
    """A person who may sign in."""

    name: str
    role: Role
    hash: Hash


def read(text: str) -> dict[str, Account]:
    """The accounts in `WEB_USERS`, by name: `name:role:hash`, separated by blanks.

    Raises:
        ValueError: one is malformed; the error says which, and repeats no hash.
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
        return Account(name, cast(Role, role), Hash.read(hashed))
    except ValueError:
        # The cause would carry the hash into a traceback.
        raise ValueError(f"{where}, {name}, has no hash that the verb `password` makes") from None


def _digest(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    text = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(text, salt=salt, n=cost, r=block, p=lanes, maxmem=MOST_MEMORY, dklen=32)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as exc:
        raise ValueError("not base64") from exc
