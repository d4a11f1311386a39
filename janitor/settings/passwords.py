"""Passwords as hashes that `WEB_USERS` takes.

A hash is written with letters, digits and `. - _` alone, and without blanks or colons:

    argon2id.19.7168.20.1.SALT.DIGEST     algorithm, version, KiB of memory, passes, lanes; then base64url
    scrypt.8192.8.10.SALT.DIGEST          as earlier releases wrote it; it stays valid

So it means the same in a shell (quoted or not), in a `.env` file, in `docker run --env-file`, in Compose and in YAML.
Argon2's usual text, `$argon2id$v=19$m=7168,t=20,p=1$...`, does not: shells, `.env` and Compose put variables for `$`.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from janitor.errors import BadSetting

VERSION, MEMORY_KIB, PASSES, LANES = 19, 7_168, 20, 1
"""What one guess costs: 7 MiB and a tenth of a second. OWASP advises 5 passes or more with this memory."""
MOST_MEMORY_KIB, MOST_PASSES, MOST_LANES = 256 * 1024, 100, 16
MOST_SCRYPT_COST, MOST_SCRYPT_BLOCK = 2**17, 8
MOST_PASSWORD = 1024
SHORTEST_PASSWORD = 8


class Hash(Protocol):
    """A password's hash; `str` of it is its text in `WEB_USERS`."""

    def fits(self, password: str) -> bool:
        """Whether this is the password. A wrong password takes as long as the right one."""


@dataclass(frozen=True)
class Argon2:
    """A hash by argon2id."""

    memory_kib: int
    passes: int
    lanes: int
    salt: bytes
    digest: bytes

    def __str__(self) -> str:
        """The hash as a text that no shell and no `.env` changes."""
        costs = f"{VERSION}.{self.memory_kib}.{self.passes}.{self.lanes}"
        return f"argon2id.{costs}.{_text(self.salt)}.{_text(self.digest)}"

    def fits(self, password: str) -> bool:
        """Whether this is the password."""
        # Imported here: few processes compare a password, and all of them read settings at their start.
        from argon2 import PasswordHasher
        from argon2.exceptions import VerifyMismatchError

        costs = f"v={VERSION}$m={self.memory_kib},t={self.passes},p={self.lanes}"
        encoded = f"$argon2id${costs}${_standard(self.salt)}${_standard(self.digest)}"
        try:
            return PasswordHasher().verify(encoded, _utf8(password))
        except VerifyMismatchError:
            return False


@dataclass(frozen=True)
class Scrypt:
    """A hash by scrypt, as earlier releases made it."""

    cost: int
    block: int
    lanes: int
    salt: bytes
    digest: bytes

    def __str__(self) -> str:
        """The hash as it was read."""
        return f"scrypt.{self.cost}.{self.block}.{self.lanes}.{_text(self.salt)}.{_text(self.digest)}"

    def fits(self, password: str) -> bool:
        """Whether this is the password."""
        costs = {"n": self.cost, "r": self.block, "p": self.lanes, "maxmem": MOST_MEMORY_KIB * 1024, "dklen": 32}
        return hmac.compare_digest(hashlib.scrypt(_utf8(password), salt=self.salt, **costs), self.digest)


def hashed(password: str) -> Argon2:
    """Hash a password, with a new salt.

    Raises:
        BadSetting: the password is too short or too long.
    """
    from argon2 import PasswordHasher

    if not SHORTEST_PASSWORD <= len(password) <= MOST_PASSWORD:
        help_text = f"give {SHORTEST_PASSWORD} to {MOST_PASSWORD} characters"
        raise BadSetting("the password", f"{len(password)} characters long", help_text)
    hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
    salt, digest = hasher.hash(_utf8(password)).split("$")[-2:]
    return Argon2(MEMORY_KIB, PASSES, LANES, _bytes(salt), _bytes(digest))


def read(text: str) -> Hash:
    """Read a hash that `str` has written.

    Raises:
        ValueError: the text is no such hash, or a guess would cost more than a sign-in should.
    """
    kind, *numbers, salt, digest = text.split(".")
    costs = [int(number) for number in numbers]
    if kind == "argon2id":
        made: Argon2 | Scrypt = _argon2(costs, _bytes(salt), _bytes(digest))
    elif kind == "scrypt":
        made = _scrypt(costs, _bytes(salt), _bytes(digest))
    else:
        raise ValueError("neither argon2id nor scrypt")
    if len(made.salt) < 8 or len(made.digest) != 32:
        raise ValueError("the salt or the digest is cut off")
    return made


def _argon2(costs: Sequence[int], salt: bytes, digest: bytes) -> Argon2:
    version, memory, passes, lanes = costs
    memory_fits = 8 * lanes <= memory <= MOST_MEMORY_KIB
    if version != VERSION or not memory_fits or not 0 < passes <= MOST_PASSES or not 0 < lanes <= MOST_LANES:
        raise ValueError("no costs that a sign-in may have")
    return Argon2(memory, passes, lanes, salt, digest)


def _scrypt(costs: Sequence[int], salt: bytes, digest: bytes) -> Scrypt:
    cost, block, lanes = costs
    cost_fits = 2 <= cost <= MOST_SCRYPT_COST and cost & (cost - 1) == 0
    if not cost_fits or not 0 < block <= MOST_SCRYPT_BLOCK or not 0 < lanes <= MOST_LANES:
        raise ValueError("no costs that a sign-in may have")
    return Scrypt(cost, block, lanes, salt, digest)


def _utf8(password: str) -> bytes:
    return password[:MOST_PASSWORD].encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _standard(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii").rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as exc:
        raise ValueError("not base64") from exc
