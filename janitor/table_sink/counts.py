"""Counts of rows that were written or compared."""

from dataclasses import dataclass

from janitor.table_sink.plan import Refused


@dataclass(frozen=True)
class Written:
    """What became of the rows given to `write`. `older`: a newer row is stored, so they were not written."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    older: int = 0
    refused: tuple[Refused, ...] = ()

    def __add__(self, other: "Written") -> "Written":
        """The counts of both."""
        return Written(
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.older + other.older,
            self.refused + other.refused,
        )


@dataclass(frozen=True)
class Compared:
    """What `write` would do with the rows given to `compare`: add `missing`, overwrite `different`."""

    missing: int = 0
    different: int = 0
    unchanged: int = 0
    older: int = 0
    refused: tuple[Refused, ...] = ()

    def __add__(self, other: "Compared") -> "Compared":
        """The counts of both."""
        return Compared(
            self.missing + other.missing,
            self.different + other.different,
            self.unchanged + other.unchanged,
            self.older + other.older,
            self.refused + other.refused,
        )
