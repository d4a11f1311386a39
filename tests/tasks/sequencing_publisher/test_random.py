"""sequencing_publisher under whatever may happen: received is what the oracle says, over all time, each once."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from janitor.tasks.sequencing_publisher import follow, publish, reconcile
from tests.fixtures import Warehouses
from tests.recorded_runs import Daemon
from tests.tasks.clock import Clock
from tests.tasks.sequencing_publisher.consumer import in_files
from tests.tasks.sequencing_publisher.oracle import Identity, Record, derived
from tests.tasks.sequencing_publisher.remembered import reasons
from tests.tasks.sequencing_publisher.warehouse import Warehouse

STEPS = 25
OLD = timedelta(days=20)


class Sequencing:
    """A sequencing facility, by chance; `visible` are the statuses that have committed, by id."""

    def __init__(self, warehouse: Warehouse, chance: random.Random, clock: Clock) -> None:
        self.warehouse, self.chance, self.clock = warehouse, chance, clock
        self.mlwh = warehouse.mlwh
        self.studies = [warehouse.study("red"), warehouse.study("blue"), warehouse.study(None)]
        self.samples = [warehouse.sample(self.name(), chance.choice(((), ("DN1",), ("DN1", "DN2")))) for _ in range(8)]
        self.runs = [100, 101, 102]
        self.products: list[str] = []
        self.roots: set[tuple[str, str]] = set()
        self.next_status = 1
        self.late: list[tuple[float, dict[str, Any]]] = []
        self.visible: dict[int, datetime] = {}

    def name(self) -> str | None:
        """A supplier's name; some share one, some have none."""
        return self.chance.choice((None, "shared", "shared", f"own {self.chance.randint(1, 9)}"))

    def set_status(self) -> None:
        """A status gets an id; some commit later, and some were set long before."""
        at = datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(minutes=self.chance.randint(1, 9000))
        at -= OLD if self.chance.random() < 0.2 else timedelta()
        values = {"run": self.chance.choice(self.runs), "status": self.chance.randint(1, 20), "at": at}
        values["id"], self.next_status = self.next_status, self.next_status + 1
        if self.chance.random() < 0.3:
            self.late.append((self.clock.now, values))
        else:
            self.commit(values)

    def commit(self, values: dict[str, Any]) -> None:
        """The status is there for others to see."""
        self.warehouse.status(**values)
        self.visible[values["id"]] = values["at"]

    def commit_late(self, all_of_them: bool = False) -> None:
        """What took an id long ago commits now, before the lag is over."""
        limit = publish.LAG.total_seconds() * 0.8
        for at, values in list(self.late):
            if all_of_them or self.chance.random() < 0.3 or self.clock.now - at > limit:
                self.late.remove((at, values))
                self.commit(values)

    def add_product(self) -> None:
        """A product arrives; one in three is not linked to its flowcell yet."""
        study = self.chance.choice([*self.studies, None])
        run, sample = self.chance.choice(self.runs), self.chance.choice(self.samples)
        self.products.append(self.warehouse.product(run, sample, study, linked=self.chance.random() > 0.3))

    def link_all(self) -> None:
        """Products are linked to flowcells, late."""
        flowcell = self.warehouse.flowcell(self.chance.choice(self.samples), self.chance.choice(self.studies))
        self.mlwh.change("iseq_product_metrics", {"id_iseq_flowcell_tmp": None}, id_iseq_flowcell_tmp=flowcell)

    def add_path(self) -> None:
        """A product gets a place in iRODS."""
        place = (self.chance.choice(("/a", "/b")), self.chance.choice(self.products or [""]))
        if place[1] and place not in self.roots:
            self.roots.add(place)
            secondary = self.chance.choice((None, f"{place[1][:4]}.crai"))
            self.warehouse.irods(place[1], place[0], self.chance.choice((None, f"{place[1][:6]}.cram")), secondary)

    def update_manifest(self) -> None:
        """Some samples get a new manifest update."""
        chosen = self.chance.sample(self.samples, 2)
        self.warehouse.manifest(chosen, self.chance.choice((("DN3",), ("DN4", "DN5"), ())))

    def rename(self) -> None:
        """A sample or study gets another name, or loses it."""
        sample, study = self.chance.choice(self.samples), self.chance.choice(self.studies)
        if self.chance.random() < 0.7:
            self.mlwh.change("sample", {"id_sample_tmp": sample}, supplier_name=self.name())
        else:
            self.mlwh.change("study", {"id_study_tmp": study}, name=self.chance.choice((None, "red", "green")))

    def replace_ids(self) -> None:
        """The warehouse gives a sample another *_tmp id."""
        at = self.chance.randrange(len(self.samples))
        old, new = self.samples[at], max(self.samples) + 100
        self.mlwh.change("sample", {"id_sample_tmp": old}, id_sample_tmp=new)
        self.mlwh.change("iseq_flowcell", {"id_sample_tmp": old}, id_sample_tmp=new)
        self.samples[at] = new

    def act(self) -> None:
        """Something happens."""
        actions: list[Callable[[], None]] = [self.set_status, self.add_product, self.add_path, self.rename]
        actions += [self.update_manifest, self.link_all, self.replace_ids, self.commit_late]
        self.chance.choices(actions, [30, 25, 15, 8, 5, 3, 4, 10])[0]()


class Ledger:
    """What must have been published, by flagship.md, and which samples wait for which statuses."""

    def __init__(self, warehouses: Warehouses) -> None:
        self.warehouses = warehouses
        self.published: set[tuple[Identity, Record]] = set()
        self.followed: set[int] = set()
        self.waiting: set[tuple[str, int]] = set()

    def follow(self, lab: Sequencing) -> None:
        """Statuses that were not followed yet are published."""
        self._publish(lab.visible.keys() - self.followed)
        self.followed |= lab.visible.keys()

    def reconcile(self, lab: Sequencing) -> None:
        """All recent statuses are published again, and of older ones what waits."""
        since = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=14)
        recent = {id for id, at in lab.visible.items() if at >= since}
        older = {(sample, id) for sample, id in self.waiting if id not in recent}
        self._publish(recent)
        made = derived(self.warehouses, statuses={id for _, id in older})
        self.published |= {(key, record) for key, record in made.messages.items() if (key[1], key[0]) in older}
        self.waiting = (self.waiting - older) | (made.misfits & older)

    def _publish(self, ids: set[int]) -> None:
        made = derived(self.warehouses, statuses=ids)
        self.published |= set(made.messages.items())
        self.waiting = {(sample, id) for sample, id in self.waiting if id not in ids} | made.misfits


@pytest.mark.slow
@pytest.mark.parametrize("seed", [21, 22])
def test_whatever_happens_each_change_comes_once(
    seed: int, warehouses: Warehouses, state_folder: Path, messages_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, chance = Clock().give_to(monkeypatch, publish, "statuses"), random.Random(seed)
    monkeypatch.setattr(publish, "RUNS_AT_ONCE", 2)
    monkeypatch.setattr(publish, "BATCH_CHANGES", 10)
    lab = Sequencing(Warehouse(warehouses, datetime(2026, 1, 1)), chance, clock)
    settings = {"MESSAGES_DIR": str(messages_dir), "SEQUENCING_PUBLISHER_SINCE": "2000-01-01"}
    daemon = Daemon(warehouses.environment() | settings | {"SEQUENCING_PUBLISHER_GROUP_SIZE": "7"}, state_folder)
    wanted = Ledger(warehouses)
    assert daemon.counts(follow)["statuses"] == 0
    for step in range(STEPS):
        clock.advance(chance.choice((60, 3600, 6 * 3600)))
        with lab.mlwh.transaction(), lab.warehouse.events.transaction():
            for _ in range(chance.randint(1, 8)):
                lab.act()
            lab.commit_late()
        task = chance.choice((follow, follow, reconcile))
        before = len(wanted.published)
        (wanted.follow if task is follow else wanted.reconcile)(lab)
        counts = daemon.counts(task)
        assert counts["published"] == len(wanted.published) - before, f"seed {seed}, step {step}"
        assert set(reasons(daemon)) == {sample for sample, _ in wanted.waiting}, f"seed {seed}, step {step}"
    lab.commit_late(all_of_them=True)
    wanted.follow(lab)
    for _ in range(4):
        daemon.counts(follow)
        clock.advance(publish.LAG.total_seconds() + 1)
    wanted.reconcile(lab)
    daemon.counts(reconcile)
    assert in_files(messages_dir) == Counter(record for _, record in wanted.published)
    assert len(wanted.published) > 60
    assert daemon.counts(reconcile)["published"] == daemon.counts(follow)["published"] == 0
    daemon.close()
