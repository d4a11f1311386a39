"""Sealing: what an inbox keeps apart as a secret lies in the state database as a sealed text alone.

    ITEMS_KEY is given      the key is made of it: all daemons with the same text can open what one has sealed
    it is not               the key lies in the file `items-key` beside HEARTBEAT_FILE, which only this user can read

So neither the state database nor a backup of it tells a token. The seal is Fernet's (AES and HMAC), of the package
cryptography, which PyMySQL needs anyway.
"""

import base64
import hashlib
import os
import secrets
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from janitor.errors import Rejected
from janitor.settings.paths import shown
from janitor.settings.settings import Settings

FILE = "items-key"
ANOTHER = "its secrets were sealed with another key: give all daemons the same ITEMS_KEY, and let it be asked for again"


class Seal:
    """Seals and opens texts."""

    def __init__(self, settings: Settings) -> None:
        """No key is read before it is needed."""
        self._settings = settings

    def closed(self, text: str) -> str:
        """A text that nobody reads without the key.

        Raises:
            Rejected: no key can be kept.
        """
        sealed: bytes = _fernet(self._key()).encrypt(text.encode("utf-8", "surrogatepass"))
        return sealed.decode("ascii")

    def opened(self, sealed: str) -> str:
        """The text that was sealed.

        Raises:
            Rejected: it was sealed with another key, or is damaged.
        """
        from cryptography.fernet import InvalidToken

        try:
            text: bytes = _fernet(self._key()).decrypt(sealed.encode())
        except InvalidToken as exc:
            raise Rejected(ANOTHER) from exc
        return text.decode("utf-8", "surrogatepass")

    def _key(self) -> bytes:
        given = self._settings.items_key
        if given is not None:
            return hashlib.blake2b(given.get_secret_value().encode("utf-8", "surrogateescape"), digest_size=32).digest()
        return kept_key(self._settings.heartbeat_file.parent / FILE)


def kept_key(path: Path) -> bytes:
    """The key in a file; it is made if there is none.

    Raises:
        Rejected: the file can be neither read nor made, or holds no key.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            _make(path)
        key = base64.b64decode(path.read_bytes(), validate=True)
    except (OSError, ValueError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it holds no key"
        raise Rejected(f"the key for secrets of items cannot be kept in {shown(path)}: {why}; give ITEMS_KEY") from exc
    if len(key) != 32:
        raise Rejected(f"the key for secrets of items cannot be kept in {shown(path)}: it holds no key; give ITEMS_KEY")
    return key


def _make(path: Path) -> None:
    """Make the file as a whole: another process may make it at the same moment."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)))
        os.link(beside, path)
    finally:
        beside.unlink()


@lru_cache(maxsize=4)
def _fernet(key: bytes) -> Any:
    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(key))
