"""The demo's folder: what is emptied and made in it, and the settings of its daemon."""

import socket
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from janitor.demo import place
from janitor.demo.place import LOCK, Place, prepare
from janitor.settings import Settings
from tests.demo.at_work import one


def test_the_folder_is_emptied_but_for_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a folder with the lock, a message and the log of an earlier demo.

    It is prepared, with a small lab.
    Must hold: only the lock stays; the new warehouses hold what the words say.
    """
    for name, size in (("LABWARES", 40), ("RUNS", 2), ("PRODUCTS", 4)):
        monkeypatch.setattr(place, name, size)
    (tmp_path / "messages").mkdir()
    for name in (LOCK, "messages/one.avro", "daemon.log"):
        (tmp_path / name).write_text("old")
    made, words = prepare(tmp_path, "http://127.0.0.1:9/")
    there = sorted(path.name for path in tmp_path.glob("*"))
    assert there == [LOCK, "labwhere.db", "mlwh.db", "mlwh_events.db", "state.db"]
    assert (tmp_path / LOCK).read_text() == "old"
    engine = create_engine(made.url("labwhere"))
    assert one(engine, "SELECT COUNT(*) FROM labwares") == 40 and "40 labwares, " in words
    engine.dispose()


def test_no_setting_of_this_process_reaches_the_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAIL_HOST", "RABBITMQ_PASSWORD_FILE", "LABWARE_LOCATION_DELETE_ORPHANS", "CLEANUP_SCHEDULE"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("COLOUR_OF_THE_DAY", "green")
    found = Place(tmp_path, date(2026, 7, 1), 8123, "http://127.0.0.1:9/").environment()
    assert "mine" not in found.values() and found["COLOUR_OF_THE_DAY"] == "green"
    settings = Settings.load(found, dotenv=None)
    assert settings.web_port == 8123 and settings.web_url == "http://127.0.0.1:8123"
    assert settings.state_database_url.database == str(tmp_path / "state.db")


def test_another_port_is_taken_if_the_usual_port_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(place, "DASHBOARD_PORT", port)
        assert place._free_port() not in (port, 0)
    assert place._free_port() == port
