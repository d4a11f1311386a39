"""The forms: what each does, who may press it, and what it needs."""

from html import escape

from sqlalchemy import select

from janitor.state.tables import quarantine
from tests.small_engine import eventually
from tests.web import house
from tests.web.pages.furnished import PAGES, House
from tests.web.visitor import Visitor


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
