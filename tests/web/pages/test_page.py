"""The pages: what they show and in which words, what each form does, and who may press which button."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from html import escape
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import URL, func, insert, select

from janitor.settings import passwords
from janitor.state import State, deliveries
from janitor.state import notices as told
from janitor.state.tables import actions, jobs, quarantine, run_logs, runs
from tests.daemons import daemons
from tests.small_engine import eventually, migrated, remember, remember_run
from tests.web import house
from tests.web.desks import served
from tests.web.visitor import Page, Visitor

PASSWORD = "a long way home"
MOST_SECONDS = 0.3
PAGES = ("/", "/jobs", "/jobs/labware_location", "/jobs/sequencing_publisher", "/history", "/notices")


@dataclass(frozen=True)
class House:
    """A daemon with a furnished house, and who visits it."""

    operator: Visitor
    viewer: Visitor
    state: State

    def run_of(self, job: str, outcome: str) -> int:
        """The newest run of a job that ended so."""
        query = select(func.max(runs.c.id)).where(runs.c.job == job, runs.c.outcome == outcome)
        with self.state.read() as connection:
            return int(connection.execute(query).scalar_one())

    def said(self) -> list[tuple[str, str, str | None]]:
        """The audit lines so far, the newest first."""
        with self.state.read() as connection:
            rows = connection.execute(select(actions).order_by(actions.c.id.desc())).all()
        return [(row.actor, row.action, row.job) for row in rows]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One daemon for all of these tests, whose past is full of hostile texts."""
    folder = tmp_path_factory.mktemp("house")
    url = URL.create("sqlite", database=str(folder / "state.db"))
    state = migrated(url)
    with state.begin() as connection:
        house.furnish(connection, datetime.now(timezone.utc), house.HOSTILE)
    hashed = passwords.hashed(PASSWORD)
    users = f"olga:operator:{hashed} vera:viewer:{hashed}"
    with daemons(
        "tests.web.house",
        folder,
        LEASE_SECONDS="30",
        HOUSE_PAGES="600",
        WEB_ENABLED="true",
        WEB_PORT="0",
        WEB_USERS=users,
        HOUSE_SAYS=house.HOSTILE,
    ) as start:
        daemon = start(url)
        daemon.says("leading with")
        daemon.says("the dashboard is at")
        found = re.search(r"the dashboard is at (\S+)", daemon.text)
        assert found, daemon.text
        one = House(Visitor(found[1]), Visitor(found[1]), state)
        for visitor, name in ((one.operator, "olga"), (one.viewer, "vera")):
            assert visitor.sign_in(name, PASSWORD).status == 200
        yield one
    state.close()


def every_page(made: House) -> list[Page]:
    """Each kind of page, as an operator sees it."""
    failed = made.run_of("sequencing_publisher", "failed")
    more: tuple[str, ...] = (
        f"/runs/{failed}",
        f"/runs/{made.run_of('labware_location', 'missed')}",
        "/nowhere",
        "/jobs/nobody",
    )
    more += ("/jobs/labware_location?dropped=true", "/history?what=actions", "/history?what=runs&outcome=failed")
    return [made.operator.get(path) for path in (*PAGES, *more)]


def test_every_page_opens_and_escapes_what_it_shows(made: House) -> None:
    shown = 0
    for page in every_page(made):
        assert page.status == (404 if page.path in ("/nowhere", "/jobs/nobody") else 200), page.path
        assert house.HOSTILE not in page.text, page.path
        shown += escape(house.HOSTILE) in page.text
        for tag, attributes in page.read.tags:
            assert tag != "style" and "style" not in attributes, (page.path, tag)
            assert tag != "script" or (attributes.get("src") or "").startswith("/static/"), (page.path, attributes)
            assert not [name for name in attributes if name.startswith("on")], (page.path, attributes)
            assert not (attributes.get("src") or attributes.get("href") or "").startswith(("http", "//")), page.path
    assert shown >= 8


def test_every_page_has_its_landmarks_and_one_heading(made: House) -> None:
    titles = set()
    for page in every_page(made):
        tags = [tag for tag, _ in page.read.tags]
        assert (tags.count("main"), tags.count("h1"), tags.count("header"), tags.count("footer")) == (1, 1, 1, 1)
        titles.add(page.text.partition("<title>")[2].partition("</title>")[0])
        ids = [attributes["id"] for _, attributes in page.read.tags if "id" in attributes]
        assert len(ids) == len(set(ids)), page.path
        fields = [attributes for tag, attributes in page.read.tags if tag in ("input", "select")]
        labels = {attributes.get("for") for tag, attributes in page.read.tags if tag == "label"}
        assert all(one.get("type") == "hidden" or one.get("id") in labels for one in fields), page.path
    assert len(titles) >= 9


def test_what_is_wrong_stands_first(made: House) -> None:
    first = made.operator.get("/")
    assert "1 of 5 jobs needs you" in first.words
    assert f"/runs/{made.run_of('labware_location', 'missed')}" in first.links("/runs/"), "it is in the timeline"
    page = made.operator.get("/jobs")
    names = [path for path in page.links("/jobs/") if "#" not in path]
    assert names[0] == "/jobs/sequencing_publisher"
    for words in ("overdue", "Paused by anna", "Switched off: until the archive has room", " in quarantine"):
        assert words in page.words
    failed = made.operator.get(f"/runs/{made.run_of('sequencing_publisher', 'failed')}")
    assert failed.words.index("refuses connections; 12 messages wait") < failed.words.index("Facts")


def test_a_job_shows_all_that_is_known_of_it(made: House) -> None:
    words = made.operator.get("/jobs/labware_location").words
    for known in (
        "and writes those that differ.",
        "Every 5 minutes",
        "Duration",
        "Rows",
        "Read up to id",
        "its location has no barcode",
        "LABWARE_LOCATION_ENABLED",
    ):
        assert known in words, known
    assert "no daemon was running for 40 minutes" in made.operator.get("/jobs/labware_location?outcome=missed").words
    given_up = made.operator.get("/jobs/labware_location?dropped=true").words
    assert "Note: a test tube of 2019" in given_up and "by anna" in given_up


def test_a_run_leads_to_its_neighbours(made: House) -> None:
    run = made.run_of("labware_location", "missed")
    page = made.operator.get(f"/runs/{run}")
    before, after = (one.get("href") for tag, one in page.read.tags if one.get("rel") in ("prev", "next"))
    assert made.operator.get(str(before)).links("/jobs/")[0] == "/jobs/labware_location"
    assert f"/runs/{run}" in made.operator.get(str(after)).links("/runs/")


def test_a_log_is_filtered_by_level_and_read_in_pages(made: House) -> None:
    run = made.run_of("labware_location", "succeeded") - 1
    at = datetime.now(timezone.utc)
    line = {"run_id": run, "at": at, "logger": "x"}
    with made.state.begin() as connection:
        rows = [
            line | {"level": "ERROR" if n % 100 == 0 else "INFO", "message": f"line {n} of it"} for n in range(1203)
        ]
        connection.execute(insert(run_logs), rows)
    lines, path = list[str](), str(made.operator.get(f"/runs/{run}").path)
    while path:
        page = made.operator.get(path)
        lines += re.findall(r"<span>line (\d+) of it", page.text)
        path = page.link("More") or ""
    assert lines == [str(n) for n in range(1203)]
    errors = re.findall(r"<span>line (\d+) of it", made.operator.get(f"/runs/{run}?level=ERROR").text)
    assert errors == [str(n) for n in range(0, 1203, 100)]


def test_the_history_is_read_in_pages_to_its_beginning(made: House) -> None:
    path, seen = "/history?what=runs&job=labware_location", list[int]()
    while path:
        page = made.operator.get(path)
        seen += [int(link.removeprefix("/runs/")) for link in page.links("/runs/")]
        path = page.link("Older") or ""
        assert path != page.path
    with made.state.read() as connection:
        ids = connection.execute(select(runs.c.id).where(runs.c.job == "labware_location").order_by(runs.c.id.desc()))
        assert seen == list(ids.scalars())
    both, path = 0, "/history?until=2100-01-01"
    while path:
        page = made.operator.get(path)
        both += page.text.count("<tr>") - 1
        path = page.link("Older") or ""
        assert path != page.path
    with made.state.read() as connection:
        counted = [
            connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (runs, actions)
        ]
    assert both == sum(counted)


def test_the_history_is_filtered(made: House) -> None:
    failed = made.operator.get("/history?outcome=failed&job=labware_location")
    assert "cut off after 60 s" in failed.words and "broker" not in failed.words
    assert set(re.findall(r"badge o-(\w+)", failed.text)) == {"failed"}
    done = made.operator.get("/history?what=actions&job=expire_tokens")
    assert "by anna" in done.words and not done.links("/runs/")
    assert "Nothing on record is like that" in made.operator.get("/history?until=2001-01-01").words
    assert made.operator.get("/history?before=nonsense").status == 422


def test_pausing_and_resuming_lead_back_and_are_recorded(made: House) -> None:
    path = "/jobs/nightly_reconcile"
    page = made.operator.submit(made.operator.get(path).form(f"{path}/pause"))
    assert page.path == path and "nightly_reconcile is paused" in page.flash
    assert made.said()[0] == ("olga", "paused", "nightly_reconcile")
    assert made.operator.get(path).flash == "", "a flash is shown once"
    again = made.operator.submit(made.operator.get("/jobs").form(f"{path}/resume"))
    assert again.path == "/jobs" and again.flash == "nightly_reconcile is resumed"
    assert made.said()[0] == ("olga", "resumed", "nightly_reconcile")


def test_a_run_is_begun_watched_and_cancelled(made: House) -> None:
    path = "/jobs/nightly_reconcile"
    page = made.operator.submit(made.operator.get(path).form(f"{path}/run", dry_run="true"))
    run = int(page.path.removeprefix("/runs/"))
    assert page.flash == "A dry run of nightly_reconcile has begun" and "dry run" in page.words
    token = page.form("/sign-out").fields["csrf_token"]
    twice = made.operator.post(f"{path}/run", csrf_token=token)
    assert "was not started" in twice.flash and "still running" in twice.flash
    eventually(lambda: "page 2: 250 rows compared" in made.operator.get(f"/runs/{run}").words)
    asked = made.operator.submit(made.operator.get(f"/runs/{run}").form(f"/runs/{run}/cancel"))
    assert f"Run {run} is asked to stop" in asked.flash
    eventually(lambda: "Cancelled by olga" in made.operator.get(f"/runs/{run}").words)
    late = made.operator.post(f"/runs/{run}/cancel", csrf_token=token)
    assert f"run {run} of nightly_reconcile has ended: cancelled" in late.flash
    assert [action for _, action, _ in made.said()[:2]] == ["cancelled", "dry run"]


def test_quarantine_is_retried_and_given_up_with_a_note(made: House) -> None:
    path = "/jobs/labware_location"
    key = f"DN1038473B {house.HOSTILE}"
    page = made.operator.submit(made.operator.get(path).form(f"{path}/quarantine/retry", key=key))
    assert "is looked at first by the next run of labware_location" in page.flash
    assert "first at the next run" in page.words
    drop = page.form(f"{path}/quarantine/drop", key=key)
    assert "say why these rows may be given up" in made.operator.submit(drop, note="  ").flash
    assert escape(key) in made.operator.submit(drop, note="sold last year").flash
    with made.state.read() as connection:
        row = connection.execute(select(quarantine).where(quarantine.c.key == key)).one()
    assert (row.dropped_by, row.note) == ("olga", "sold last year")
    assert "sold last year" in made.operator.get(f"{path}?dropped=true").words
    assert "is called" in made.operator.submit(drop, note="again").flash
    everything = made.operator.submit(made.operator.get(path).form(f"{path}/quarantine/retry"))
    assert "looked at first" in everything.flash
    assert [action for _, action, _ in made.said()[:3]] == ["retried", "dropped", "retried"]


CHANGES = (
    "/jobs/labware_location/run",
    "/jobs/labware_location/pause",
    "/jobs/expire_tokens/resume",
    "/jobs/labware_location/quarantine/retry",
    "/jobs/labware_location/quarantine/drop",
    "/runs/1/cancel",
)


def test_a_viewer_sees_no_button_and_may_press_none(made: House) -> None:
    for path in (*PAGES, f"/runs/{made.run_of('sequencing_publisher', 'failed')}"):
        page = made.viewer.get(path)
        assert page.status == 200
        assert {form.action for form in page.read.forms if form.method == "post"} == {"/sign-out"}, path
    token, before = made.viewer.get("/jobs").form("/sign-out").fields["csrf_token"], made.said()
    for path in CHANGES:
        refused = made.viewer.post(path, csrf_token=token, key="DN1038472A", note="x")
        assert refused.status == 403 and "only an operator" in refused.words, path
    assert [one for one in made.said() if one not in before and one[1] != "refused"] == []


def test_no_change_is_made_without_the_token_of_the_form(made: House) -> None:
    others = made.viewer.get("/jobs").form("/sign-out").fields["csrf_token"]
    before = [one for one in made.said() if one[1] != "refused"]
    for path in CHANGES:
        for fields in ({}, {"csrf_token": ""}, {"csrf_token": others}):
            assert made.operator.post(path, key="DN1038472A", note="x", **fields).status == 403, (path, fields)
            assert Visitor(made.operator.address).post(path, key="DN1038472A", note="x", **fields).path == "/sign-in"
    assert [one for one in made.said() if one[1] != "refused"] == before


def test_nobody_sees_anything_without_signing_in(made: House) -> None:
    stranger = Visitor(made.operator.address)
    for path in (*PAGES, "/runs/1"):
        page = stranger.get(path)
        assert page.path.startswith("/sign-in") and "labware" not in page.words, path


@pytest.mark.parametrize(
    ("ended", "outcome", "expected"),
    [
        (True, deliveries.DELIVERED, "All is well"),
        (False, deliveries.DELIVERED, "No job fails, but 1 notice is open"),
        (True, deliveries.GIVEN_UP, "No job fails, but not every notice was delivered"),
    ],
)
def test_all_is_well_only_where_nothing_is_open(tmp_path: Path, ended: bool, outcome: str, expected: str) -> None:
    url, now = URL.create("sqlite", database=str(tmp_path / "state.db")), datetime.now(timezone.utc)
    state = migrated(url)
    remember(state, "nightly_reconcile", now)
    remember_run(state, "nightly_reconcile", now, ended_at=now, seconds=1.0)
    with state.begin() as connection:
        notice = told.begin(connection, "quarantine_growing", "nightly_reconcile", "12 rows", None, now)
        deliveries.add(connection, notice, "email", deliveries.BEGAN, "{}", now)
        deliveries.close(connection, 1, outcome, now, "no such mailbox")
        if ended:
            told.end(connection, notice, now)
    state.close()
    with served(url, tmp_path, house.add_jobs) as (_, address):
        verdict = Visitor(address).get("/").text.partition('id="verdict"')[2].partition("</h1>")[0]
    assert expected in verdict and ("o-fine" in verdict) == (expected == "All is well")


def test_a_bar_moves_only_while_a_run_goes_on(tmp_path: Path) -> None:
    url, now = URL.create("sqlite", database=str(tmp_path / "state.db")), datetime.now(timezone.utc)
    state = migrated(url)
    progress = json.dumps({"": {"done": 3024, "total": None, "note": "up to labware 3024"}})
    for hours, outcome in ((1, None), (2, "succeeded")):
        at = now - timedelta(hours=hours)
        ended = {"ended_at": at, "seconds": 1.0} if outcome else {}
        remember_run(state, "nightly_reconcile", at, outcome, progress=progress, **ended)
    state.close()
    with served(url, tmp_path, house.add_jobs) as (_, address):
        going, over = [Visitor(address).get(f"/runs/{run}") for run in (1, 2)]
    assert "<progress" in going.text and "<progress" not in over.text
    assert "3,024" in going.words and "3,024" in over.words and "up to labware 3024" in over.words


@pytest.mark.slow
def test_each_page_is_quick_with_100_000_runs(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    state, now = migrated(url), datetime.now(timezone.utc)
    with state.begin() as connection:
        house.furnish(connection, now)
        for name in house.NAMES:
            connection.execute(
                insert(runs), list(house.many(name, now - timedelta(days=2), 100_000 // len(house.NAMES)))
            )
    state.close()

    with served(url, tmp_path, house.add_jobs) as (desk, address):
        visitor = Visitor(address)
        with desk.state.read() as connection:
            assert connection.execute(select(func.count()).select_from(runs)).scalar_one() >= 100_000
            assert connection.execute(select(func.count()).select_from(jobs)).scalar_one() == 4
        filters = ("/history?outcome=failed", "/history?outcome=cancelled", "/history?job=expire_tokens&outcome=failed")
        for path in (*PAGES, "/runs/50000", *filters, "/history?before=50000.9"):
            # A machine that is busy with other tests may take its time, but not thrice.
            assert any(_median_seconds(visitor, path) < MOST_SECONDS for _ in range(3)), path


def _median_seconds(visitor: Visitor, path: str) -> float:
    return median([_seconds(visitor, path) for _ in range(4)][1:])


def _seconds(visitor: Visitor, path: str) -> float:
    began = time.perf_counter()
    assert visitor.get(path).status == 200
    return time.perf_counter() - began
