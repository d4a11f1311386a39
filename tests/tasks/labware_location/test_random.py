"""labware_location under whatever may happen: after every tick the table is what the oracle says."""

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from janitor.tasks.labware_location import follow, reconcile, rows, sync
from tests.fixtures import Warehouses
from tests.recorded_runs import Daemon
from tests.tasks.clock import Clock
from tests.tasks.labware_location.labwhere import LabWhere
from tests.tasks.labware_location.oracle import expected, merged, stored
from tests.tasks.rows import Tables

STEPS = 20


class People:
    """People who do things in LabWhere, by chance; `lost` is what no audit tells of, so that follow need not see it."""

    def __init__(self, lab: LabWhere, chance: random.Random, clock: Clock) -> None:
        self.lab, self.chance, self.clock = lab, chance, clock
        self.users: list[int | None] = [lab.user("ab1"), lab.user("cd2"), lab.user("ef3"), lab.user(None), None]
        self.places = [lab.location(f"Shelf {n}") for n in range(6)] + [lab.location(barcode="", name="unmarked")]
        self.boxes = [lab.location(f"Box {n}") for n in range(3)]
        self.coordinates = [lab.coordinate(box, n, 1, n) for box in self.boxes for n in range(4)]
        self.labwares = [lab.labware(f"DN{n:03}", chance.choice(self.places)) for n in range(40)]
        self.made = 0
        self.late: list[tuple[float, dict[str, Any]]] = []
        self.next_audit = 1
        self.lost = False

    def audit(self, kind: str, id: int, user: int | None = None) -> None:
        """An audit; its id is taken now, and sometimes it (and so what it tells of) commits later."""
        self.lab.now += timedelta(seconds=self.chance.choice((0, 0, 1, 5, -3)))
        own, self.next_audit = self.next_audit, self.next_audit + 1
        self.lab.audit(kind, id, user, self.lab.now, id=own)

    def scan(self) -> None:
        """One to five labwares are put somewhere; or one in four times, that commits late."""
        for _ in range(self.chance.randint(1, 5)):
            labware, user = self.chance.choice(self.labwares), self.chance.choice(self.users)
            place: dict[str, Any] = {"location_id": self.chance.choice([*self.places, None]), "coordinate_id": None}
            if self.chance.random() < 0.4:
                place = {"location_id": None, "coordinate_id": self.chance.choice(self.coordinates)}
            if self.chance.random() < 0.25:
                values = {"id": self.next_audit, "labware": labware, "user": user, "place": place}
                self.late.append((self.clock.now, values))
                self.next_audit += 1
                continue
            self.lab.change("labwares", {"id": labware}, **place)
            self.audit("Labware", labware, user)

    def commit_late(self, all_of_them: bool = False) -> None:
        """What took an id long ago commits now, before the lag is over."""
        limit = sync.LAG.total_seconds() * 0.8
        for at, values in list(self.late):
            if all_of_them or self.chance.random() < 0.3 or self.clock.now - at > limit:
                self.late.remove((at, values))
                with self.lab.transaction():
                    self.lab.change("labwares", {"id": values["labware"]}, **values["place"])
                    self.lab.audit("Labware", values["labware"], values["user"], self.lab.now, id=values["id"])

    def rename(self) -> None:
        """A place or box is renamed or moved, with an audit."""
        place = self.chance.choice(self.places[:-1] + self.boxes)
        name = f"renamed {self.chance.randint(1, 99)}"
        self.lab.change("locations", {"id": place}, name=name, parentage=self.chance.choice(("A / B", "C", "")))
        self.audit("Location", place, self.chance.choice(self.users))

    def register(self) -> None:
        """A new labware, which nobody has scanned."""
        self.made += 1
        self.labwares.append(self.lab.labware(f"NEW{self.made:03}", self.chance.choice(self.places)))

    def delete(self) -> None:
        """A labware is gone."""
        if len(self.labwares) > 20:
            gone = self.labwares.pop(self.chance.randrange(len(self.labwares)))
            self.lab.remove("labwares", id=gone)
            self.late = [(at, values) for at, values in self.late if values["labware"] != gone]

    def change_silently(self) -> None:
        """A place is moved, and no audit tells of it."""
        self.lab.change("locations", {"id": self.chance.choice(self.places[:-1])}, parentage="moved silently")
        self.lost = True

    def mend(self) -> None:
        """All that waits is mended, without an audit."""
        mark = {"barcode": "lw-marked-now"}
        self.lab.change("locations", {"id": self.places[-1]}, **mark)
        self.lab.execute("UPDATE users SET login = 'known now' WHERE login IS NULL")
        self.lost = True

    def act(self) -> None:
        """Something happens."""
        actions: list[Callable[[], None]] = [self.scan, self.rename, self.register, self.delete, self.commit_late]
        weights = [50, 10, 5, 5, 20]
        if self.chance.random() < 0.03:
            self.chance.choice((self.change_silently, self.mend))()
        self.chance.choices(actions, weights)[0]()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])
def test_whatever_happens_the_table_follows(
    seed: int, warehouses: Warehouses, state_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock().give_to(monkeypatch, sync, "audits")
    monkeypatch.setattr(sync, "RECHECKED_A_TICK", 1_000)
    monkeypatch.setattr(rows, "PAGE_ROWS", 7)
    people = People(LabWhere(warehouses.labwhere), random.Random(seed), clock)
    daemon = Daemon(warehouses.environment(), state_folder)
    wanted = expected(warehouses.labwhere).rows
    ticks = 0
    for _ in range(STEPS):
        clock.advance(people.chance.choice((1, 60, 200)))
        with people.lab.transaction():
            for _ in range(people.chance.randint(1, 6)):
                people.act()
            people.commit_late()
        task = follow
        if people.lost or people.chance.random() < 0.1:
            daemon.run(follow)
            task, people.lost = reconcile, False
        daemon.counts(task)
        now = expected(warehouses.labwhere)
        wanted = merged(wanted, now.rows)
        assert stored(warehouses.mlwh) == wanted, f"seed {seed}, tick {ticks}"
        ticks += 1
    people.commit_late(all_of_them=True)
    for _ in range(4):
        daemon.counts(follow)
        clock.advance(sync.LAG.total_seconds() + 1)
    now = expected(warehouses.labwhere)
    wanted = merged(wanted, now.rows)
    assert stored(warehouses.mlwh) == wanted
    counts = daemon.counts(reconcile)
    assert (counts["repaired"], counts["quarantined"]) == (0, len(now.quarantined))
    assert counts["orphaned"] == len(set(wanted) - {row["barcode"] for row in barcodes(warehouses)})
    daemon.close()


def barcodes(warehouses: Warehouses) -> list[dict[str, Any]]:
    """The labwares that there are."""
    return Tables(warehouses.labwhere).all("labwares", "barcode")
