"""Sealing: secrets of items lie in the state database as sealed texts alone."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL, select

from janitor.errors import Rejected
from janitor.items import Item, Reading, Step
from janitor.items.ends import Message
from janitor.items.pipelines import made
from janitor.items.receiving import Taking
from janitor.items.sealing import FILE, Seal, kept_key
from janitor.items.work import StepTask
from janitor.settings import Settings
from janitor.state import item_plans
from janitor.state.item_tables import items
from tests.small_engine import run_by_hand, runner_for, settings_for

TOKEN = "Bearer of-the-browser"
KEPT: list[str] = []


class Inbox:
    """An inbox that takes a token apart."""

    name = "requests"
    requires = ()
    reading = Reading(secret_fields=["Authorization"])


def compute(item: Item) -> None:
    """Keep the token that a step gets."""
    KEPT.append(item.secrets["Authorization"])


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with other variables each time."""
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    return lambda **more: settings_for(url, tmp_path, **more)


def test_a_step_gets_the_secret_and_the_database_does_not(settings: Callable[..., Settings], tmp_path: Path) -> None:
    # Given: a message with a token. What happens: it is taken, then its step runs. What must hold: the step gets the
    # token; no file has it before, and the item has no secret after.
    KEPT.clear()
    given = settings()
    pipeline = made("analyses", [Step("compute", compute)])
    with runner_for(given) as runner:
        with runner.state.begin() as connection:
            item_plans.save(connection, pipeline.plan)
        body = b'{"key": "a", "Authorization": "Bearer of-the-browser"}'
        Taking(pipeline, Inbox(), runner.state, seal=Seal(given)).take([Message(body)])  # type: ignore[arg-type]
        assert [path.name for path in tmp_path.iterdir() if TOKEN.encode() in path.read_bytes()] == []
        assert run_by_hand(runner, StepTask(pipeline, pipeline.steps[0], given))[1].counts == {"processed": 1}
        with runner.state.read() as connection:
            assert connection.execute(select(items.c.secrets)).scalars().all() == [None]
    assert KEPT == [TOKEN]


def test_a_key_is_kept_for_its_user_alone(tmp_path: Path) -> None:
    # Given no folder yet: what is pushed before the first start may need the key.
    path = tmp_path / "var" / FILE
    key = kept_key(path)
    assert kept_key(path) == key and len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == [FILE]


def test_the_same_items_key_opens_what_another_daemon_has_sealed(settings: Callable[..., Settings]) -> None:
    sealed = Seal(settings(ITEMS_KEY="a long text")).closed("half a character \ud800")
    assert Seal(settings(ITEMS_KEY="a long text")).opened(sealed) == "half a character \ud800"
    for other in (settings(ITEMS_KEY="another text"), settings()):
        with pytest.raises(Rejected, match="give all daemons the same ITEMS_KEY"):
            Seal(other).opened(sealed)


@pytest.mark.parametrize("content", ["", "no key", "c2hvcnQ="])
def test_a_file_without_a_key_is_told(settings: Callable[..., Settings], tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(Rejected, match="it holds no key; give ITEMS_KEY"):
        Seal(settings()).closed("x")


def test_a_folder_that_takes_no_file_is_told(settings: Callable[..., Settings], tmp_path: Path) -> None:
    os.symlink(tmp_path / "nowhere" / "key", tmp_path / FILE)
    with pytest.raises(Rejected, match="cannot be kept in .*: No such file or directory; give ITEMS_KEY"):
        Seal(settings()).closed("x")
