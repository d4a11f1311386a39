"""Items from a folder: each file of JSON that is complete becomes an item, and moves on.

    orders/x.json                 put there under another name, and renamed when it is complete
    orders/done/x.json            its item is committed
    orders/bad/x.json             it can be no item
    orders/bad/x.json.reason.txt  and why

A crash between the commit and the move leaves the file: it is read again, and is the same item.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from janitor.errors import BadSetting
from janitor.items.ends import Message, Take, Verdict
from janitor.items.inboxes.arrivals import Arrival, Arrivals, CannotRead
from janitor.items.inboxes.moving import DONE, check_folder, make_folders, move, set_aside
from janitor.items.inboxes.rounds import Rounds, until_asked_to_stop
from janitor.items.option_checks import check_seconds
from janitor.items.reading import Reading, at_path, check_reading
from janitor.needs import Need, ServiceNeed
from janitor.runs import current_run
from janitor.settings.settings import Settings

TOGETHER = 500
MOST_TOGETHER_BYTES = 16 * 1024 * 1024
"""So many files, and so many bytes, are committed together at most."""
SHORT_SECONDS = 0.2


@dataclass(frozen=True)
class FolderInbox:
    """A folder; each file in it whose name ends in `.json` becomes an item, the oldest first.

    - `name`: its name in the pipeline.
    - `folder`: the path of the folder, which must be there. Its folders `done` and `bad` are made.
    - `poll_seconds`: how often it is looked at while it has nothing.
    - `reading`: how a file is read. If a file has no key in it, or `key_field` is empty, the key is the file's name
      without its ending.

    Whoever puts a file there writes it under another name, such as `x.tmp`, and renames it. A file that was changed
    within a second waits; hidden files and links are left alone. A file whose item is committed moves to `done`, and a
    file that can be no item to `bad`, with the reason beside it; a name that is there already gets a number. The item's
    envelope has the name of its `file`.
    """

    name: str
    folder: str | Path
    poll_seconds: float = 1.0
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        """Refuse a path that is none.

        Raises:
            BadSetting: which value, and what would be right.
        """
        given: object = self.folder
        if not isinstance(given, (str, Path)) or not str(given).strip():
            raise BadSetting("folder", self.folder, "give the path of a folder")
        check_seconds("poll_seconds", self.poll_seconds)
        check_reading(self.reading)
        # What the path means may not change with the working folder.
        object.__setattr__(self, "folder", Path(self.folder).expanduser().absolute())

    @property
    def path(self) -> Path:
        """The folder's path, from the root on."""
        return Path(self.folder)

    @property
    def requires(self) -> Sequence[Need]:
        """The folder: that it is there, and can be read and written."""
        return (ServiceNeed(f"the folder {self.path}", self._look),)

    def _look(self, _: Any) -> Sequence[str]:
        return [check_folder(self.path)]

    def receive(self, settings: Settings, take: Take) -> Mapping[str, int]:
        """Take files until the run is asked to stop, or its time is over; how many, and what became of them.

        Raises:
            Rejected: the folder is not there, or cannot be read or written.
            JanitorError: as `take` does; the files stay where they are.
        """
        rounds, arrivals, is_idle = Rounds(), Arrivals(self.path), False
        make_folders(self.path)
        with until_asked_to_stop():
            while rounds.go_on(is_idle):
                before = rounds.received
                for batch in self._batches(arrivals):
                    self._take(batch, take, rounds)
                if rounds.received == before:
                    current_run().sleep(SHORT_SECONDS) if arrivals.has_unsettled else rounds.rest(self.poll_seconds)
                is_idle = rounds.received == before and not arrivals.has_unsettled
        return rounds.counts

    def _batches(self, arrivals: Arrivals) -> Iterator[list[Message]]:
        batch: list[Message] = []
        size = 0
        for arrival in arrivals.look():
            if (message := self._message(arrivals, arrival)) is None:
                continue
            batch.append(message)
            size += len(message.body)
            if len(batch) >= TOGETHER or size >= MOST_TOGETHER_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _message(self, arrivals: Arrivals, arrival: Arrival) -> Message | None:
        """A file as a message; None if it is another file by now."""
        facts: dict[str, Any] = {"envelope": {"file": arrival.shown}, "mark": arrival}
        most = self.reading.most_bytes
        try:
            body = arrivals.read(arrival, most + 1)
        except CannotRead as exc:
            return Message(b"", **facts, key=arrival.stem, refused=str(exc))
        if body is None:
            return None
        if arrival.size > most:
            too_large = f"it has {arrival.size:,} bytes, and {most:,} are taken at most"
            return Message(body, **facts, key=arrival.stem, refused=too_large)
        return Message(body, **facts, key=None if self._has_key(body) else arrival.stem)

    def _has_key(self, body: bytes) -> bool:
        if not self.reading.key_field:
            return False
        try:
            return at_path(json.loads(body), self.reading.key_field) is not None
        except (ValueError, RecursionError):
            return False

    def _take(self, batch: Sequence[Message], take: Take, rounds: Rounds) -> None:
        verdicts = take(batch)
        for verdict in verdicts:
            self._move(verdict)
        rounds.add(verdicts)

    def _move(self, verdict: Verdict) -> None:
        arrival: Arrival = verdict.message.mark
        if verdict.reason is None:
            move(self.path, arrival, DONE)
        else:
            set_aside(self.path, arrival, current_run().mask(verdict.reason))
