"""A set of ids, kept as a compressed bitmap: its size follows how many ids it has, never how far they are apart.

ids        any whole numbers that a column of 64 bits can hold: from -2**63 up, or up to 2**64 - 1
bitmap     holds numbers from 0 to 2**64 - 1; a set with ids below 0 keeps them shifted by 2**63
gaps       what lies between the ids of the set; they are found from id to id, never by walking the numbers
"""

import base64
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pyroaring import BitMap64

LOWEST = -(2**63)
HIGHEST = 2**64 - 1
MOST_PARTS = 100_000
"""A bitmap has a part for each 65,536 numbers among which it has ids. So many parts take some 10 MB of memory."""


@dataclass(frozen=True)
class Ids:
    """A set of ids. `base` is the id that the bitmap keeps as 0."""

    bits: BitMap64 = field(default_factory=BitMap64)
    base: int = 0

    def __contains__(self, id: int) -> bool:
        return 0 <= id - self.base <= HIGHEST and id - self.base in self.bits

    def __len__(self) -> int:
        return len(self.bits)

    def __iter__(self) -> Iterator[int]:
        return (int(bit) + self.base for bit in self.bits)

    @property
    def highest(self) -> int | None:
        """The highest id; None if the set is empty."""
        return int(self.bits.max()) + self.base if self.bits else None

    @property
    def is_large(self) -> bool:
        """Whether the set takes more room than a cursor should."""
        return int(self.bits.get_statistics()["n_containers"]) > MOST_PARTS

    @property
    def middle(self) -> int:
        """The id that has as many ids above it as below it."""
        return int(self.bits[len(self.bits) // 2]) + self.base

    def plus(self, ids: Iterable[int]) -> "Ids":
        """The set with these ids too."""
        added = list(ids)
        base = LOWEST if min(added, default=0) < 0 else self.base
        kept = self.bits if base == self.base else BitMap64(id - base for id in self)
        return Ids(kept | BitMap64(added if base == 0 else (id - base for id in added)), base)

    def above(self, id: int) -> "Ids":
        """The ids of the set that are higher than an id."""
        after = id + 1 - self.base
        if after > HIGHEST:
            return Ids(base=self.base)
        kept = BitMap64(self.bits)
        kept.remove_range(0, max(0, after))
        return Ids(kept, self.base)

    def gaps_above(self, id: int) -> Iterator[tuple[int, int]]:
        """The gaps above an id, up to the highest id of the set: the first and the last number of each."""
        start = id + 1
        while (following := self._first_from(start)) is not None:
            if following > start:
                yield start, following - 1
            start = self._end_of_stretch(following) + 1

    def dump(self) -> str:
        """The set as a text, for `load`."""
        copy = BitMap64(self.bits)
        copy.run_optimize()
        return f"{self.base}:{base64.b64encode(zlib.compress(copy.serialize(), 1)).decode()}"

    @classmethod
    def load(cls, text: str) -> "Ids":
        """A set from its text; a text without a base is one of an earlier release."""
        base, colon, packed = text.rpartition(":")
        if not colon:
            return cls(BitMap64.deserialize(base64.b64decode(packed)))
        return cls(BitMap64.deserialize(zlib.decompress(base64.b64decode(packed))), int(base))

    def _first_from(self, id: int) -> int | None:
        bit = max(0, id - self.base)
        try:
            return None if bit > HIGHEST else int(self.bits.next_set_bit(bit)) + self.base
        except ValueError:
            return None

    def _end_of_stretch(self, first: int) -> int:
        """The last id of the stretch without gaps that begins at `first`: it is sought in leaps that double."""
        end, leap = first - self.base, 1
        while leap:
            if end + leap < HIGHEST and self.bits.contains_range(end, end + leap + 1):
                end, leap = end + leap, leap * 2
            else:
                leap //= 2
        return end + self.base
