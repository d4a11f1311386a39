"""What Janitor has done, read from where it went: the table, the message files, and the state database."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
from sqlalchemy import URL, func, select

from janitor import databases
from janitor.demo import truth
from janitor.demo.sequencing_rows import STATUSES
from janitor.demo.truth import Message
from janitor.errors import JanitorError
from janitor.state.tables import quarantine, runs

ONE_BY_ONE = 2


class Watch:
    """Looks at what is there, and tells what is new since the last look."""

    def __init__(self, mlwh: URL, state: URL, messages_dir: Path) -> None:
        """Nothing is read yet; the state database may not be there yet."""
        self.mlwh, self.state, self.messages_dir = mlwh, state, messages_dir
        self.rows: dict[str, tuple[Any, ...]] = {}
        self.written = 0
        self.messages: Counter[Message] = Counter()
        self.files: set[Path] = set()
        self.quarantined: dict[tuple[str, str], str] = {}
        self._last_run = 0

    def news(self) -> list[str]:
        """Return a line for each thing that happened since the last call."""
        lines = [*self._table(), *self._message_files()]
        if self._has_state():
            lines += [*self._quarantine(), *self._runs()]
        return lines

    def outcomes(self) -> dict[str, dict[str, int]]:
        """Count the runs of each job by outcome."""
        columns = runs.c.job, runs.c.outcome, func.count()
        query = select(*columns).where(runs.c.outcome.is_not(None)).group_by(runs.c.job, runs.c.outcome)
        found: dict[str, dict[str, int]] = {}
        if not self._has_state():
            return found
        with databases.read(self.state) as connection:
            for job, outcome, count in connection.execute(query.order_by(runs.c.job)):
                found.setdefault(job, {})[outcome] = count
        return found

    def _has_state(self) -> bool:
        """Whether the daemon has made its tables."""
        try:
            with databases.read(self.state) as connection:
                connection.execute(select(runs.c.id).limit(1))
                connection.execute(select(quarantine.c.key).limit(1))
        except JanitorError:
            return False
        return True

    def _table(self) -> Iterator[str]:
        now = truth.table(self.mlwh)
        changed = [barcode for barcode, row in now.items() if self.rows.get(barcode) != row]
        for barcode in changed[:ONE_BY_ONE]:
            yield f"synced: {barcode} is in {place(now[barcode])}"
        if len(changed) > ONE_BY_ONE:
            yield f"synced: and {_count(len(changed) - ONE_BY_ONE, 'more row')} written"
        self.rows, self.written = now, self.written + len(changed)

    def _message_files(self) -> Iterator[str]:
        new = sorted(set(self.messages_dir.glob("*.avro")) - self.files)
        found: Counter[tuple[int, int]] = Counter()
        for path in new:
            with path.open("rb") as file:
                for record in fastavro.reader(file):
                    row = tuple(record.values()) if isinstance(record, dict) else ()
                    self.messages[row] += 1
                    found[row[1], row[5]] += 1
        self.files.update(new)
        for (id_run, status), count in list(found.items())[:ONE_BY_ONE]:
            yield f"published: run {id_run} {STATUSES[status - 1]!r}, {_count(count, 'message')}"
        if len(found) > ONE_BY_ONE:
            rest = sum(list(found.values())[ONE_BY_ONE:])
            yield f"published: {_count(rest, 'message')} of {_count(len(found) - ONE_BY_ONE, 'more status')}"

    def _quarantine(self) -> Iterator[str]:
        with databases.read(self.state) as connection:
            query = select(quarantine.c.name, quarantine.c.key, quarantine.c.reason)
            now = {(name, key): reason for name, key, reason in connection.execute(query)}
        entered = [identity for identity in now if identity not in self.quarantined]
        left = [identity for identity in self.quarantined if identity not in now]
        for identity in entered[:ONE_BY_ONE]:
            yield f"quarantine: {now[identity]}"
        if len(entered) > ONE_BY_ONE:
            yield f"quarantine: and {_count(len(entered) - ONE_BY_ONE, 'more row')}"
        for name, key in left:
            yield f"out of quarantine, delivered: {key} ({name})"
        self.quarantined = now

    def _runs(self) -> Iterator[str]:
        """Tell of the runs that did not end well. What the good runs wrote tells of them."""
        columns = runs.c.id, runs.c.job, runs.c.outcome, runs.c.reason
        query = select(*columns).where(runs.c.id > self._last_run, runs.c.outcome.is_not(None)).order_by(runs.c.id)
        with databases.read(self.state) as connection:
            ended = connection.execute(query).all()
        for run in ended:
            self._last_run = run.id
            if run.outcome != "succeeded":
                yield f"run {run.id} of {run.job} {run.outcome}: {run.reason}"


def place(row: tuple[Any, ...]) -> str:
    """Say where a labware is: the location's address and name, and the place in a box."""
    _, address, name, _, box_row, box_column, *_ = row
    where = f"{address} / {name}" if address else str(name)
    return where if box_row is None else f"{where}, row {box_row}, column {box_column}"


def _count(number: int, thing: str) -> str:
    ending = "" if number == 1 else "es" if thing.endswith("s") else "s"
    return f"{number:,} {thing}{ending}"
