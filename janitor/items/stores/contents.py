"""The content of a result as a store keeps it: as it is, or packed by gzip; and the tags that go with it."""

import gzip
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from janitor.errors import Rejected
from janitor.items.templates import found_in, text_of_value

GZIP_WINDOW = 31
"""How zlib is told that what it reads is gzip."""
MOST_TAGS, LONGEST_TAG_NAME, LONGEST_TAG = 10, 128, 256
_NOT_IN_TAGS = re.compile(r"[^\w +\-=.:/@]")


def packed(content: bytes) -> bytes:
    """A content packed by gzip; the same content is always the same bytes."""
    return gzip.compress(content, mtime=0)


def most_packed(most: int) -> int:
    """How many bytes a content of up to `most` bytes has at most when it is packed: what cannot be packed grows."""
    return most + most // 1_000 + 100


def unpacked(content: bytes, most: int, where: str) -> bytes | None:
    """What gzip has packed; None if it has more than `most` bytes, of which no more are ever unpacked.

    Raises:
        Rejected: it is not whole, or is no gzip; the error names the place, `where`.
    """
    reader = zlib.decompressobj(GZIP_WINDOW)
    try:
        found = reader.decompress(content, most + 1)
    except zlib.error as exc:
        raise Rejected(f"{where} is not packed by gzip, or is damaged: delete it, and compute it again") from exc
    if len(found) > most:
        return None
    if not reader.eof:
        raise Rejected(f"{where} is not whole: delete it, and compute it again")
    return found


def tags_from(wanted: Mapping[str, str] | Sequence[str], args: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a result, by name: what stands at a path in an item's arguments; what is not there is no tag.

    `wanted` has the names, each with its path, or names that are paths. What S3 does not take in a tag becomes `_`.
    """
    paths = wanted if isinstance(wanted, Mapping) else dict(zip(wanted, wanted, strict=True))
    found = {name: found_in(path, args) for name, path in paths.items()}
    return {name: fit_tag(text_of_value(value)) for name, value in found.items() if value is not None}


def fit_tag(text: str) -> str:
    """A text as S3 takes it in a tag."""
    return _NOT_IN_TAGS.sub("_", text)[:LONGEST_TAG]
