"""A run of an inbox: messages become items or dead letters, committed before they are taken off their queue."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, select, text

from janitor.errors import Interrupted
from janitor.items import Reading, Step
from janitor.items.ends import Message, Take, Verdict
from janitor.items.waking import listening
from janitor.needs import Need
from janitor.runs import Outcome, current_run
from janitor.settings import Settings
from janitor.state import item_letters as item_letters_of
from janitor.state import item_plans
from janitor.state.item_changes import First
from janitor.state.item_states import DONE, FAILED
from janitor.state.item_tables import item_letters, item_replies
from tests.items.house import House, Seen, house, succeeded
from tests.small_engine import lite_state


class Box:
    """An inbox that hands over batches, and keeps what became of them."""

    name = "box"
    requires: Sequence[Need] = ()

    def __init__(self, *batches: Sequence[Message], reading: Reading | None = None) -> None:
        self.batches, self.verdicts = batches, list[Verdict]()
        self.reading = reading or Reading()
        self.between: Callable[[], object] = lambda: None
        self.at_end: Callable[[], object] = lambda: None

    def receive(self, settings: Settings, take: Take) -> Mapping[str, int] | None:
        try:
            for batch in self.batches:
                self.between()
                self.verdicts += take(batch)
        finally:
            self.at_end()
        return None


class Way:
    """A way of replying that is never opened."""

    name, requires, beat_seconds = "mail", (), 0.0

    def open(self, settings: Settings) -> Any:
        raise AssertionError("nothing is sent here")


def message(content: Any, **more: Any) -> Message:
    return Message(content if isinstance(content, bytes) else json.dumps(content).encode(), **more)


@contextmanager
def desk(url: URL, folder: Path, box: Box, secrets: list[Any] | None = None, **more: Any) -> Iterator[House]:
    """A pipeline with an inbox; what items have as secrets is kept in the list."""
    seen = Seen()
    seen.do = lambda item: None if secrets is None else secrets.append(dict(item.secrets))
    with house(url, folder, Step("only", seen), inboxes=[box], replies=[Way()], **more) as made:
        yield made


def letters(made: House) -> list[Any]:
    with made.state.read() as connection:
        return list(connection.execute(select(item_letters).order_by(item_letters.c.id)))


def replies(made: House) -> list[dict[str, Any]]:
    with made.state.read() as connection:
        rows = connection.execute(select(item_replies).order_by(item_replies.c.id))
        return [{"key": row.key, "item": row.item_id, **json.loads(row.content)} for row in rows]


def test_a_bad_message_is_a_dead_letter_and_ends_nothing(state_url: URL, tmp_path: Path) -> None:
    reading = Reading(secret_fields=("token",), timeout_field="timeout")
    batch = [
        message({"key": "a", "token": "sesame-17"}, envelope={"to": "A"}),
        message(b'{"token": "sesame-17", '),
        message({"n": 1, "token": "sesame-17", "very": "vault-99"}, envelope={"to": "B"}),
        message({"key": "late", "timeout": 0}, envelope={"to": "C"}),
        message({"key": "b"}),
    ]
    box, seen = Box(batch, reading=reading), list[Any]()
    with desk(state_url, tmp_path, box, seen, RABBITMQ_PASSWORD="vault-99") as made:
        assert succeeded(made.do("box")) == {"received": 5, "items": 2, "dead_letters": 3}
        assert [verdict.is_item for verdict in box.verdicts] == [True, False, False, False, True]
        assert [verdict.message for verdict in box.verdicts] == batch
        assert (made.count(), made.item("a").origin, made.item("a").args) == (2, "box", '{"key":"a"}')
        assert "sesame" not in made.item("a").secrets, "it is sealed"
        broken, keyless, late = letters(made)
        assert (broken.pipeline, broken.inbox, broken.key, broken.bytes) == ("p", "box", None, len(batch[1].body))
        assert broken.reason.startswith("it is no JSON") and broken.message == '{"token": "****", '
        assert json.loads(keyless.message) == {"n": 1, "very": "***", "token": "****"}
        assert not any(map(item_letters_of.is_whole, (broken, keyless))) and item_letters_of.is_whole(late)
        assert (
            keyless.reason == "it has no key: give the item's key there, a text or a whole number"
            and late.key == "late"
        )
        assert replies(made) == [
            {
                "key": "",
                "item": None,
                "envelope": {"to": "B"},
                "error": {"code": "malformed", "message": keyless.reason},
            },
            {
                "key": "late",
                "item": None,
                "envelope": {"to": "C"},
                "error": {"code": "expired", "message": late.reason},
            },
        ]
        assert made.check_counts()[":inboxes", FAILED, "dead letters"] == 3
        made.do("only")
        assert seen == [{"token": "sesame-17"}, {}] and made.item("a").secrets is None


def test_messages_are_taken_batch_by_batch(state_url: URL, tmp_path: Path) -> None:
    # Given three batches. What was handed over is committed before the next is asked for.
    box = Box(*([message({"key": f"{batch}{n}"}) for n in range(3)] for batch in "abc"))
    told: list[First] = []
    with desk(state_url, tmp_path, box) as made, listening(told.extend):
        counts: list[int] = []
        box.between = lambda: counts.append(made.count())
        assert succeeded(made.do("box"))["items"] == 9
        assert counts == [0, 3, 6] and [first.lane for first in told] == ["p.only"] * 3
        made.do("only")
        assert made.count() == 9 and made.check_counts()["", DONE, "done"] == 9


def test_nothing_is_taken_that_could_not_be_committed(state_url: URL, tmp_path: Path) -> None:
    box = Box([message({"key": "a"})], [message({"key": "b"}), message(b"bad")])
    with desk(state_url, tmp_path, box) as made:

        def go_away() -> None:
            if made.count():
                made.state.stop("it is away")

        box.between, box.at_end = go_away, lambda: made.state.stop("")
        ending = made.do("box")
        assert ending.outcome is Outcome.FAILED and "it is away" in (ending.reason or "")
        assert len(box.verdicts) == 1 and made.count() == 1 and letters(made) == []
        made.check_counts()


def test_a_row_that_the_database_refuses_is_a_dead_letter(state_url: URL, tmp_path: Path) -> None:
    # Given a database that refuses one key, by a trigger of its administrator's.
    batch = [message({"key": key}, envelope={"to": key}) for key in ("a", "refused", "b")]
    box = Box([*batch, message(b"bad")])
    with desk(state_url, tmp_path, box) as made:
        is_lite = made.state.engine.dialect.name == "sqlite"
        say = "SELECT RAISE(ABORT, 'not this one');" if is_lite else "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no';"
        on = "BEFORE INSERT ON items"
        made_of = (
            f"CREATE TRIGGER refusing {on} WHEN NEW.\"key\" = 'refused' BEGIN {say} END"
            if is_lite
            else f"CREATE TRIGGER refusing {on} FOR EACH ROW BEGIN IF NEW.`key` = 'refused' THEN {say} END IF; END"
        )
        with made.state.begin() as connection:
            connection.execute(text(made_of))
        try:
            assert succeeded(made.do("box")) == {"received": 4, "items": 2, "dead_letters": 2}
        finally:
            with made.state.begin() as connection:
                connection.execute(text("DROP TRIGGER refusing"))
        assert [verdict.is_item for verdict in box.verdicts] == [True, False, True, False]
        assert "the state database refuses it" in (box.verdicts[1].reason or "")
        assert sorted(made.item(key).key for key in ("a", "b")) == ["a", "b"] and made.count() == 2
        assert [(row.key, json.loads(row.message) if row.key else row.message) for row in letters(made)] == [
            ("refused", {"key": "refused"}),
            (None, "bad"),
        ]
        assert [(one["key"], one["envelope"]) for one in replies(made)] == [("refused", {"to": "refused"})]
        made.check_counts()


def test_what_no_database_takes_is_told_in_other_characters(state_url: URL, tmp_path: Path) -> None:
    # Given a key and an envelope with half a character, as JSON may have it.
    box = Box([message({"key": "\ud800"}, envelope={"to": "\ud800"}), message({"key": "a"}, envelope={"to": "\udfff"})])
    with desk(state_url, tmp_path, box) as made:
        assert succeeded(made.do("box"))["dead_letters"] == 1
        assert [row.key for row in letters(made)] == ["\\ud800"]
        [told] = replies(made)
        assert (told["key"], told["envelope"]) == ("\\ud800", {"to": "\ud800"})
        made.do("only")
        assert made.status("a") == "processed" and replies(made)[1]["envelope"] == {"to": "\udfff"}
        made.check_counts()


def test_a_message_is_checked_against_the_pipelines_schema(tmp_path: Path) -> None:
    schema = {"align": {"required": ["n"]}}
    reading = Reading(secret_fields=("token",))
    batch = [message({"key": str(n), "name": name, "token": "t", **more}) for n, (name, more) in enumerate(CHECKED)]
    with desk(
        lite_state(tmp_path / "s.db"), tmp_path, Box(batch, reading=reading), schema=schema, task_name="name"
    ) as made:
        assert succeeded(made.do("box")) == {"received": 3, "items": 1, "dead_letters": 2}
        assert [row.reason for row in letters(made)] == [
            "it does not fit its schema: the message: it lacks n",
            "its name names no task: the tasks are align",
        ]
        assert [row.key for row in letters(made)] == ["1", "2"]


CHECKED: Sequence[tuple[str, dict[str, Any]]] = (("align", {"n": 1}), ("align", {}), ("dance", {"n": 1}))


def test_the_same_key_again_is_the_same_item(state_url: URL, tmp_path: Path) -> None:
    box = Box(
        [message({"key": "a"}, envelope={"to": to}) for to in "ABA"], [message({"key": "a"}, envelope={"to": "C"})]
    )
    with desk(state_url, tmp_path, box) as made:
        assert succeeded(made.do("box"))["items"] == 4
        assert made.count() == 1
        made.do("only")
        assert [one["envelope"]["to"] for one in replies(made)] == ["A", "B", "C"]
        made.check_counts()


def test_items_have_the_steps_of_the_plan_of_now(tmp_path: Path) -> None:
    # Given an inbox whose run goes on while its pipeline gets another step.
    box = Box([message({"key": "a"})], [message({"key": "b"})])
    with desk(lite_state(tmp_path / "s.db"), tmp_path, box) as made:
        plan = item_plans.Plan(
            "p",
            (*made.pipeline.plan.steps, item_plans.PlannedStep("new", {"only": "processed"})),
            made.pipeline.plan.kinds,
        )

        def change() -> None:
            if made.count():
                with made.state.begin() as connection:
                    item_plans.save(connection, plan)

        box.between = change
        made.do("box")
        assert (set(made.steps("a")), set(made.steps("b"))) == ({"only"}, {"only", "new"})


def test_an_inbox_that_is_asked_to_stop_while_idle_ends_well(tmp_path: Path) -> None:
    box = Box([message({"key": "a"})], [message({"key": "b"})])
    with desk(lite_state(tmp_path / "s.db"), tmp_path, box) as made:

        def stop() -> None:
            if made.count():
                current_run().ask_to_stop(Interrupted("the daemon was asked to stop"))
                current_run().check()

        box.between = stop
        assert succeeded(made.do("box")) == {"received": 1, "items": 1, "dead_letters": 0}


def test_nothing_is_received_in_a_dry_run(tmp_path: Path) -> None:
    box = Box([message({"key": "a"})])
    with desk(lite_state(tmp_path / "s.db"), tmp_path, box) as made:
        ending = made.do("box", dry_run=True)
        assert (ending.outcome, box.verdicts, made.count()) == (Outcome.SKIPPED, [], 0)
        assert ending.reason == "an inbox receives nothing in a dry run; `check` looks at it"


def test_a_verdict_says_whether_a_message_is_an_item() -> None:
    one = message({"key": "a"})
    with pytest.raises(AttributeError):
        Verdict(one).reason = "changed"  # type: ignore[misc]
    assert Verdict(one).is_item and not Verdict(one, "no").is_item
