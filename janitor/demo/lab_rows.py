"""The rows of a made-up lab: any number of them, in the order of their ids, the same for the same seed.

What makes a row awkward is plain arithmetic on its number, so that all tables agree about it without sharing memory.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

Row = tuple[object, ...]
Maker = Callable[["Lab"], Iterator[Row]]

MANIFEST_SAMPLES = 48
SAMPLE, LABWARE, LOCATION, AUDIT, STUDY, EVENT = range(1, 7)


@dataclass(frozen=True)
class Lab:
    """How large a lab is, and when: all its dates lie in the `days` days before `now` (aware UTC)."""

    labwares: int
    runs: int
    seed: int
    now: datetime
    products: int = 96
    days: float = 30.0

    @property
    def samples(self) -> int:
        """Each run shares a quarter of its samples with the next."""
        return (self.runs - 1) * self._new_samples + self.products if self.runs else 0

    @property
    def manifests(self) -> int:
        """How many sample manifests register the samples."""
        return -(-self.samples // MANIFEST_SAMPLES)

    @property
    def studies(self) -> int:
        """How many studies the manifests belong to."""
        return max(4, self.runs // 10)

    @property
    def _new_samples(self) -> int:
        return max(1, self.products * 3 // 4)

    def sample(self, run: int, product: int) -> int:
        """Whose product it is; every fourth run has two lanes, and so each sample twice."""
        return (run - 1) * self._new_samples + product // lanes(run) + 1

    def at(self, share: float) -> str:
        """A moment of the lab's days, 0 the first and 1 `now`, as databases write it."""
        moment = self.now - timedelta(days=self.days * (1 - share))
        return moment.replace(tzinfo=None).isoformat(" ", "seconds")

    def random(self, purpose: str) -> random.Random:
        """A source of chance of its own for each table, so that tables can be made in any order."""
        return random.Random(f"{self.seed} {purpose}")


def lanes(run: int) -> int:
    """How many lanes a run has."""
    return 2 if run % 4 == 0 else 1


def has_no_audit(labware: int) -> bool:
    """One labware in 211 was registered without a trace."""
    return labware % 211 == 5


def is_deleted(labware: int) -> bool:
    """One labware in 199 was deleted softly, and stands nowhere."""
    return labware % 199 == 17


def is_scanned_by_nobody(labware: int) -> bool:
    """One labware in 307 was last scanned by a user who has no login."""
    return labware % 307 == 11


def has_no_supplier_name(sample: int) -> bool:
    """One sample in 53 has no supplier's name, as control samples have none."""
    return sample % 53 == 9


def has_no_manifest(sample: int) -> bool:
    """One sample in 151 has no manifest yet."""
    return sample % 151 == 7


def has_no_flowcell(product: int) -> bool:
    """One product in 97 is not linked to its flowcell yet."""
    return product % 97 == 13


def has_no_irods_path(product: int) -> bool:
    """One product in 13 is not in iRODS yet."""
    return product % 13 == 6


def audits_of(labware: int) -> int:
    """How often a labware was scanned: three times on average."""
    return 0 if has_no_audit(labware) else (3, 1, 4, 2, 5, 3)[labware % 6]


def labware_barcode(labware: int) -> str:
    """The barcode on a labware."""
    return f"DN{labware:07d}{'ABCDEFGHJKLMNPRSTUVW'[labware % 20]}"


def uuid_text(seed: int, kind: int, number: int) -> str:
    """A uuid that looks random and is not: the same for the same arguments, and no two alike."""
    spread = (number * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    text = f"{spread:016x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:]}-8{kind:03x}-{seed & 0xFFFFFFF:07x}{text[12]}{number & 0xFFFF:04x}"


def uuid_bytes(text: str) -> bytes:
    """The sixteen bytes of a uuid's text."""
    return bytes.fromhex(text.replace("-", ""))
