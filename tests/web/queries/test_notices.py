"""What people were told, as the dashboard asks for it."""

from sqlalchemy import insert

from janitor.state import State
from janitor.state.tables import deliveries, notices
from janitor.web.queries import models
from janitor.web.queries.notices import notice_list
from tests.web.queries.past import NOON, ask


def test_what_people_were_told_is_listed(state: State) -> None:
    notice = {"rule": "failed", "run_id": None, "text": "it failed", "told_at": NOON}
    with state.begin() as connection:
        for job, ended_at in (("a", None), ("b", None), ("a", NOON)):
            connection.execute(insert(notices).values(notice | {"job": job, "began_at": NOON, "ended_at": ended_at}))
        ids = list(connection.execute(notices.select().order_by(notices.c.id)).scalars())
        for tries, outcome in ((0, None), (2, None), (5, "given_up"), (1, "delivered")):
            about = {"notice_id": ids[0], "channel": "email", "kind": "began", "content": "{}", "reason": "no route"}
            values = {**about, "added_at": NOON, "due_at": NOON, "tries": tries, "outcome": outcome}
            connection.execute(insert(deliveries).values(values))
    found: models.NoticeList = ask(state, notice_list)
    assert [(line.id, line.job) for line in found.open] == [(ids[0], "a"), (ids[1], "b")]
    assert [line.tries for line in found.undelivered] == [2, 5]
    of_a: models.NoticeList = ask(state, notice_list, "a")
    assert ([line.id for line in of_a.open], [line.id for line in of_a.ended]) == ([ids[0]], [ids[2]])
