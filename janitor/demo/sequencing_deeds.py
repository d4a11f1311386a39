"""What the lab does with sequencing runs: it starts them, and sets their statuses, some of them late."""

import random
from datetime import datetime

from sqlalchemy import URL, Connection, text

from janitor import databases
from janitor.demo.counting import highest, ids_after
from janitor.demo.deeds import Agenda, Deed, written
from janitor.demo.new_run import NewRun
from janitor.demo.sequencing_rows import STATUSES

NEW_RUN_SAMPLES = 6
LATE_SECONDS = 4


class SequencingDeeds:
    """Works on MLWH and MLWH Events; what comes later goes into the agenda."""

    def __init__(self, mlwh: URL, events: URL, chance: random.Random, agenda: Agenda) -> None:
        """Look at what the warehouses hold; nothing is written yet."""
        self._mlwh, self._events, self._chance, self._agenda = mlwh, events, chance, agenda
        self._status_of: dict[int, int] = {}
        self._next_run = highest(mlwh, "iseq_product_metrics", "id_run") + 1
        self._status_ids = ids_after(mlwh, "iseq_run_status", "id_run_status")
        self._product_ids = ids_after(mlwh, "iseq_product_metrics", "id_iseq_pr_metrics_tmp")
        self._sample_ids = ids_after(mlwh, "sample", "id_sample_tmp")
        self._subject_ids = ids_after(events, "subjects", "id")
        self._event_ids = ids_after(events, "events", "id")

    def start_run(self, now: datetime) -> Deed:
        """Start a run. Its products, manifest, links and iRODS paths arrive later than its status, one by one."""
        id_run, self._next_run = self._next_run, self._next_run + 1
        samples = [next(self._sample_ids) for _ in range(NEW_RUN_SAMPLES)]
        products = [next(self._product_ids) for _ in samples]
        run = NewRun(id_run, samples, products, f"RUN{id_run}")
        with databases.begin(self._mlwh) as connection:
            run.add_flowcell(connection, now)
            self._status_of[id_run] = 1
            _set_status(connection, id_run, 1, next(self._status_ids), now)
        subjects = [next(self._subject_ids) for _ in range(len(samples) + 1)]
        event = next(self._event_ids)
        for seconds, act in (
            (1.0, lambda then: run.add_products(self._mlwh, then)),
            (2.5, lambda then: run.add_manifest(self._events, event, subjects, then)),
            (4.0, lambda then: run.link_last_product(self._mlwh, then)),
            (5.5, lambda then: run.add_paths(self._mlwh, then)),
            (7.0, lambda then: run.name_supplier(self._mlwh, then)),
        ):
            self._agenda.add(seconds, now, act)
        return Deed("runs started", f"starts run {id_run} with {len(samples)} samples: {STATUSES[0]}")

    def set_status(self, now: datetime) -> Deed:
        """Set the next status of a run that goes on."""
        id_run, status = self._advance()
        with databases.begin(self._mlwh) as connection:
            _set_status(connection, id_run, status, next(self._status_ids), now)
        return Deed("statuses set", f"sets run {id_run} to {STATUSES[status - 1]!r}")

    def set_status_late(self, now: datetime) -> Deed:
        """Take a status's id now, and commit it only after higher ids."""
        id_run, status = self._advance()
        own = next(self._status_ids)
        self._agenda.add(LATE_SECONDS, now, lambda then: self._commit_status(id_run, status, own, now))
        words = f"begins to set run {id_run} to {STATUSES[status - 1]!r} as status {own}, and does not commit"
        return Deed("late commits begun", words)

    def _commit_status(self, id_run: int, status: int, own: int, begun_at: datetime) -> Deed:
        with databases.begin(self._mlwh) as connection:
            _set_status(connection, id_run, status, own, begun_at)
            newest = connection.execute(text("SELECT MAX(id_run_status) FROM iseq_run_status")).scalar_one()
        return Deed("late statuses committed", f"commits status {own} of run {id_run} late: the newest is {newest}")

    def _advance(self) -> tuple[int, int]:
        """Choose a run that goes on, and its next status; if all runs are over, the newest begins anew."""
        if not any(status < len(STATUSES) for status in self._status_of.values()):
            self._status_of[self._next_run - 1] = 1
        id_run = self._chance.choice([run for run, status in self._status_of.items() if status < len(STATUSES)])
        self._status_of[id_run] += 1
        return id_run, self._status_of[id_run]


def _set_status(connection: Connection, id_run: int, status: int, own: int, now: datetime) -> None:
    connection.execute(text("UPDATE iseq_run_status SET iscurrent = 0 WHERE id_run = :run"), {"run": id_run})
    insert = """INSERT INTO iseq_run_status (id_run_status, id_run, date, id_run_status_dict, iscurrent)
        VALUES (:id, :run, :now, :status, 1)"""
    connection.execute(text(insert), {"id": own, "run": id_run, "now": written(now), "status": status})
