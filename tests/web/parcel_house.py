"""The pipeline of parcels at a desk whose clock does not go, with items in every state; and who visits it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Row, select

from janitor.items import FolderInbox, Reading
from janitor.state import State, item_plans, item_replies, item_search
from janitor.state.tables import actions
from janitor.web.desk import Desk
from tests.small_engine import lite_state
from tests.web import house, parcels
from tests.web.desks import served
from tests.web.visitor import Page, Visitor

OPERATOR, VIEWER = "operator-token-of-this-test", "viewer-token-of-this-test"
ACTOR = "operator token"
"""Who the operator is on record."""


@dataclass(frozen=True)
class ParcelHouse:
    """The desk, an operator, and a viewer."""

    desk: Desk
    operator: Visitor
    viewer: Visitor

    @property
    def state(self) -> State:
        """The state database."""
        return self.desk.state

    def press(self, path: str, action: str, /, **fields: str) -> Page:
        """Fill in the operator's form that leads to an action, with these hidden fields as far as it has them."""
        page = self.operator.get(path)
        hidden = [form.fields for form in page.read.forms if form.action == action]
        assert hidden, [form.action for form in page.read.forms]
        mine = next((found for found in hidden if fields.items() <= found.items()), hidden[0])
        return self.operator.post(action, **{**mine, **fields})

    def ask(self, method: str, path: str, body: object = None, who: Visitor | None = None) -> tuple[int, Any]:
        """Ask the API; the status and the JSON."""
        visitor = who or self.operator
        token = json.loads(visitor.get("/api/session").text)["csrf_token"]
        return visitor.ask(method, f"/api/pipelines{path}", body, token)

    def item(self, key: str) -> Row[Any] | None:
        """An item's row."""
        with self.state.read() as connection:
            return item_search.one(connection, parcels.NAME, key)

    def statuses(self, key: str) -> dict[str, tuple[int, str]]:
        """The state and status of each step of an item."""
        row = self.item(key)
        assert row is not None
        with self.state.read() as connection:
            return {one.step: (one.state, one.status) for one in item_search.steps(connection, [row.id])[row.id]}

    def give_up_replies(self) -> None:
        """Let the pipeline answer by mail, and give up the one reply that waits: that of DN0000."""
        plan = parcels.with_mail(parcels.pipeline().plan)
        with self.state.begin() as connection:
            item_plans.save(connection, plan)
            ids = [row.id for row in item_replies.take(connection, plan.lane("mail"), self.desk.now(), 10)]
            assert item_replies.give_up(connection, parcels.NAME, ids, self.desk.now(), "no such address") == 1

    def said(self) -> list[tuple[str, str, str | None, str]]:
        """What people did, the newest first."""
        with self.state.read() as connection:
            rows = connection.execute(select(actions).order_by(actions.c.id.desc())).all()
        return [(row.actor, row.action, row.job, row.detail) for row in rows]


@contextmanager
def standing(folder: Path, says: str = "") -> Iterator[ParcelHouse]:
    """The house for the length of a block; `says` stands in every text."""
    url = _furnished(folder / "state.db", says)
    (folder / "desk").mkdir()
    inbox = FolderInbox("desk", folder / "desk", reading=Reading(secret_fields=("token",)))
    add_jobs = partial(parcels.add_jobs, inboxes=[inbox])
    tokens = {"WEB_OPERATOR_TOKEN": OPERATOR, "WEB_VIEWER_TOKEN": VIEWER}
    with served(url, folder, add_jobs, **tokens) as (desk, address):
        one = ParcelHouse(desk, Visitor(address), Visitor(address))
        for visitor, token in ((one.operator, OPERATOR), (one.viewer, VIEWER)):
            assert visitor.sign_in("", token).status == 200
        yield one


_made: dict[str, bytes] = {}


def _furnished(path: Path, says: str) -> URL:
    """A state database with the parcels; they are made once, and copied."""
    url = lite_state(path)
    if says not in _made:
        state = State(url)
        with state.begin() as connection:
            parcels.furnish(connection, datetime.now(timezone.utc), says)
        state.close()
        _made[says] = path.read_bytes()
    path.write_bytes(_made[says])
    return url


HOSTILE = house.HOSTILE
"""What no page may run."""


def told(page: Page) -> str:
    """What a person reads, as a person reads it: no blank stands before a comma."""
    return page.words.replace(" ,", ",").replace(" ;", ";").replace(" :", ":")
