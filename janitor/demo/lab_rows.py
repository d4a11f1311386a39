"""The size of a made-up lab, and which of its rows are awkward. The same seed makes the same rows.

Whether a row is awkward is arithmetic on its number. So all tables agree on it and share no memory.
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
    """How large a lab is. All its dates lie within `days` days before `now` (aware UTC)."""

    labwares: int
    runs: int
    seed: int
    now: datetime
    products: int = 96
    days: float = 30.0

    @property
    def samples(self) -> int:
        """How many samples there are: each run shares a quarter of its samples with the next run."""
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
        """Return the sample of a product. Every fourth run has two lanes, and each sample in both."""
        return (run - 1) * self._new_samples + product // lanes(run) + 1

    def at(self, share: float) -> str:
        """Write a moment of the lab's days as databases do; `share` 0 is the first moment and 1 is `now`."""
        moment = self.now - timedelta(days=self.days * (1 - share))
        return moment.replace(tzinfo=None).isoformat(" ", "seconds")

    def random(self, purpose: str) -> random.Random:
        """Return a source of chance for one table: so tables can be made in any order."""
        return random.Random(f"{self.seed} {purpose}")


def lanes(run: int) -> int:
    """Return how many lanes a run has."""
    return 2 if run % 4 == 0 else 1


def has_no_audit(labware: int) -> bool:
    """Whether a labware has no audit, as one labware in 211."""
    return labware % 211 == 5


def is_deleted(labware: int) -> bool:
    """Whether a labware was deleted softly and stands nowhere, as one labware in 199."""
    return labware % 199 == 17


def is_scanned_by_nobody(labware: int) -> bool:
    """Whether a user without a login scanned a labware last, as one labware in 307."""
    return labware % 307 == 11


def has_no_supplier_name(sample: int) -> bool:
    """Whether a sample has no supplier's name, as one sample in 53. Real control samples have none."""
    return sample % 53 == 9


def has_no_manifest(sample: int) -> bool:
    """Whether a sample has no manifest yet, as one sample in 151."""
    return sample % 151 == 7


def has_no_flowcell(product: int) -> bool:
    """Whether a product is not linked to its flowcell yet, as one product in 97."""
    return product % 97 == 13


def has_no_irods_path(product: int) -> bool:
    """Whether a product is not in iRODS yet, as one product in 13."""
    return product % 13 == 6


def audits_of(labware: int) -> int:
    """Return how often a labware was scanned: three times on average."""
    return 0 if has_no_audit(labware) else (3, 1, 4, 2, 5, 3)[labware % 6]


def labware_barcode(labware: int) -> str:
    """Return a labware's barcode."""
    return f"DN{labware:07d}{'ABCDEFGHJKLMNPRSTUVW'[labware % 20]}"


def uuid_text(seed: int, kind: int, number: int) -> str:
    """Make a uuid that looks random: the same arguments give the same uuid, others give another."""
    spread = (number * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    text = f"{spread:016x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:]}-8{kind:03x}-{seed & 0xFFFFFFF:07x}{text[12]}{number & 0xFFFF:04x}"


def uuid_bytes(text: str) -> bytes:
    """Return the sixteen bytes of a uuid's text."""
    return bytes.fromhex(text.replace("-", ""))
