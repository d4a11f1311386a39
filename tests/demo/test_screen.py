"""What the demo prints."""

from datetime import date
from pathlib import Path

import pytest

from janitor.demo.deeds import Deed
from janitor.demo.place import Place
from janitor.demo.screen import Screen, short


def test_deeds_and_news_stand_on_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    screen.show_deed(Deed("scans", "scans DN1 [red] into a box"))
    screen.show_outage("")
    screen.show_outage("the broker goes away")
    screen.show_news(["synced: DN1"], ["notice: copy failed"])
    lines = [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines()]
    assert [line.lstrip() for line in lines] == [
        "· scans DN1 [red] into a box",
        "· the broker goes away",
        "→ synced: DN1",
        "✉ notice: copy failed",
    ]
    assert lines[2].startswith(" " * 6), "what Janitor did stands further right"


def test_a_long_line_is_not_cut_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().show_deed(Deed("scans", "x" * 300))
    assert "x" * 300 + "\n" in capsys.readouterr().out


def test_it_is_said_where_the_history_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Screen().show_where_to_look(Place(tmp_path / "var", date(2026, 7, 1), 8123, "http://127.0.0.1:9/"))
    said = capsys.readouterr().out
    assert "All of it is kept in var until the next demo." in said
    assert f"STATE_DATABASE_URL=sqlite:///{tmp_path}/var/state.db " in said and said.endswith("run.py history\n")


def test_a_path_outside_stays_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert short(tmp_path / "here" / "demo") == "demo" and short(tmp_path / "there") == str(tmp_path / "there")
