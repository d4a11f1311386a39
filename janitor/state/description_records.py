"""Descriptions: how the jobs of runs were described, each kept once."""

import hashlib
from typing import Any

from sqlalchemy import Connection, insert, select

from janitor.state.tables import configs

# Two processes may keep the same description at once.
_ADDITION = (
    insert(configs)
    .prefix_with("OR IGNORE", dialect="sqlite")
    .prefix_with("IGNORE", dialect="mysql")
    .prefix_with("IGNORE", dialect="mariadb")
)


def digest(content: str) -> bytes:
    """The digest by which a job's description is found."""
    return hashlib.blake2b(content.encode(), digest_size=16).digest()


def keep(connection: Connection, content: str) -> None:
    """Keep a job's description. It is kept once, however many runs have it."""
    connection.execute(_ADDITION, {"digest": digest(content), "content": content})


def load(connection: Connection, digest: bytes | None) -> str | None:
    """The description with a digest; None if it is not on record."""
    if digest is None:
        return None
    found: Any = connection.execute(select(configs.c.content).where(configs.c.digest == digest)).scalar()
    return None if found is None else str(found)
