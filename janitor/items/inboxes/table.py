"""Items from the rows of a table: a row that is ready is launched once, and gets its final status when it is done.

Ready      claimed by an UPDATE that asks for the status again: of two processes one has the row
Started    an item, committed in the state database
Success    or Failure: written by the inbox's own reply, which is tried until the database takes it

a process that dies after the UPDATE and before the item leaves a row that is started, and has no item:
the next run of the inbox finds it, and launches it
"""

import json
import string
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from janitor.errors import BadSetting
from janitor.items.ends import Message, Take
from janitor.items.inboxes.rounds import Rounds, until_asked_to_stop
from janitor.items.inboxes.table_check import look
from janitor.items.inboxes.table_left import left_over
from janitor.items.inboxes.table_reply import StatusReply
from janitor.items.inboxes.table_rows import Claimed, Layout, Rows, Status
from janitor.items.option_checks import check_seconds, check_texts, check_whole
from janitor.items.reading import Reading, check_reading
from janitor.needs import DatabaseNeed, Need, ServiceNeed
from janitor.settings.settings import Settings

LOOK_BACK_SECONDS = 600.0
"""How often rows that are started are looked at: at the start of each run, and after so long again."""
MOST_TOGETHER = 1_000
ANEW = Reading(on_duplicate="anew")


@dataclass(frozen=True)
class TableInbox:
    """A table of another database; each of its rows with a stated status becomes an item.

    - `name`: its name in the pipeline.
    - `setting`: the variable with the URL of the database.
    - `table`: the table's name.
    - `columns`: the columns that are the item's arguments, beside the id.
    - `id_column`: the column with the id of a row, a number or a text.
    - `status_column`: the column with the status of a row.
    - `json_columns`: those of `columns` that hold JSON; the argument is what the JSON says.
    - `ready`: the status of a row that is to be taken.
    - `started`: the status of a row that was taken. Nothing but this inbox may give it to a row: a row that has it
      and no item is launched.
    - `success`: the status of a row whose item ended well.
    - `failure`: the status of a row whose item did not.
    - `most`: so many rows are claimed together at most, 1 to 1,000.
    - `key`: the key of an item, with the names of columns in braces, as in `"{study}-{id}"`; the id alone if empty.
    - `poll_seconds`: how often the table is looked at while it has nothing.
    - `reading`: how a row is read, which is an object in JSON by the names of its columns.

    It brings a reply of its own, which writes the final status. A row that is made `ready` again is done anew, or its
    status of before is written again with `Reading(on_duplicate="reply")`. An index on the status makes each look
    cheap. The user needs SELECT on the columns and UPDATE on the status, and neither INSERT nor DELETE.
    """

    name: str
    setting: str
    table: str
    columns: Sequence[str] = ()
    id_column: str = "id"
    status_column: str = "status"
    json_columns: Sequence[str] = ()
    ready: Status = "Ready"
    started: Status = "Started"
    success: Status = "Success"
    failure: Status = "Failure"
    most: int = 100
    key: str = ""
    poll_seconds: float = 5.0
    reading: Reading = field(default_factory=lambda: ANEW)

    def __post_init__(self) -> None:
        """Refuse values with which a row would be launched twice, or never end.

        Raises:
            BadSetting: which, and what would be right.
        """
        check_reading(self.reading)
        for name in ("columns", "json_columns"):
            check_texts(name, getattr(self, name))
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.reading.on_duplicate is None:
            object.__setattr__(self, "reading", replace(self.reading, on_duplicate="anew"))
        _check(self)

    @property
    def layout(self) -> Layout:
        """The table, its columns and its statuses."""
        return Layout(
            self.setting,
            self.table,
            self.id_column,
            self.status_column,
            tuple(self.columns),
            self.ready,
            self.started,
            self.success,
            self.failure,
        )

    @property
    def reply(self) -> StatusReply:
        """The way of replying that writes the final status of rows; the pipeline needs it among its `replies`."""
        return StatusReply(self.name, self.layout)

    @property
    def requires(self) -> Sequence[Need]:
        """The table: its columns, that the status may be changed, and that it has room for the four statuses."""
        columns = tuple(dict.fromkeys((self.id_column, self.status_column, *self.columns)))
        return (
            DatabaseNeed(self.setting, reads={self.table: columns}),
            ServiceNeed(f"the status of {self.table}", partial(look, self.layout), (self.setting,)),
        )

    def receive(self, settings: Settings, take: Take) -> Mapping[str, int]:
        """Launch rows until the run is asked to stop, or its time is over; how many, and what became of them.

        Raises:
            BadSetting, Unavailable, Rejected: the database is away, or says no.
            JanitorError: as `take` does; what was claimed is launched by the next run.
        """
        rounds, is_idle, rows = Rounds(), False, Rows(settings.needed(self.setting), self.layout)
        look_back_at = time.monotonic()
        with until_asked_to_stop():
            while rounds.go_on(is_idle):
                if time.monotonic() >= look_back_at:
                    for left in left_over(rows, self.name, self.key_of):
                        self._launch(rows, left, take, rounds)
                    look_back_at = time.monotonic() + LOOK_BACK_SECONDS
                if claimed := rows.claim(self.most):
                    self._launch(rows, claimed, take, rounds)
                else:
                    rounds.rest(self.poll_seconds)
                is_idle = not claimed
        return rounds.counts

    def _launch(self, rows: Rows, claimed: Sequence[Claimed], take: Take, rounds: Rounds) -> None:
        verdicts = take([self._message(row) for row in claimed])
        if bad := [verdict.message.mark for verdict in verdicts if not verdict.is_item]:
            rows.end(bad, self.failure)
        rounds.add(verdicts)

    def key_of(self, row: Claimed) -> str:
        """The key of a row's item."""
        return self.key.format_map(row.values) if self.key else str(row.id)

    def _message(self, row: Claimed) -> Message:
        values = dict(row.values)
        facts: dict[str, Any] = {
            "envelope": {"inbox": self.name, "row": row.id},
            "key": self.key_of(row),
            "mark": row.id,
        }
        try:
            values |= {name: json.loads(values[name]) for name in self.json_columns if values[name] is not None}
        except (ValueError, TypeError, RecursionError):
            wrong = f"one of its columns {', '.join(self.json_columns)} holds no JSON"
            return Message(json.dumps(dict(row.values)).encode(), **facts, refused=wrong)
        return Message(json.dumps(values).encode(), **facts)


def _check(inbox: TableInbox) -> None:
    for name in ("setting", "table", "id_column", "status_column"):
        if not getattr(inbox, name):
            raise BadSetting(name, getattr(inbox, name), "give a name")
    statuses = {str(one).casefold() for one in (inbox.ready, inbox.started)}
    if len(statuses) < 2 or not statuses.isdisjoint({str(one).casefold() for one in (inbox.success, inbox.failure)}):
        raise BadSetting("started", inbox.started, "give a status that differs from ready, success and failure")
    if strange := [name for name in inbox.json_columns if name not in inbox.columns]:
        raise BadSetting("json_columns", ", ".join(strange), "give names that are among the columns")
    check_whole("most", inbox.most, 1, MOST_TOGETHER)
    check_seconds("poll_seconds", inbox.poll_seconds)
    if inbox.reading.on_duplicate not in ("anew", "reply"):
        raise BadSetting("on_duplicate", inbox.reading.on_duplicate, "give anew or reply: else a row would never end")
    try:
        fields = {found for _, found, _, _ in string.Formatter().parse(inbox.key) if found is not None}
    except ValueError as exc:
        raise BadSetting("key", inbox.key, f"give names of columns in braces, such as {{id}} ({exc})") from exc
    if strange := sorted(fields - {inbox.id_column, *inbox.columns}):
        raise BadSetting("key", inbox.key, f"{', '.join(strange)} is none of the columns {', '.join(inbox.columns)}")
