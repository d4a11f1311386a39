"""The forms of the dashboard: each does one thing by `janitor.operations`, and leads back to a page that says so."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Form
from fastapi.responses import Response

from janitor.errors import JanitorError
from janitor.operations import actions, deletion
from janitor.state import run_records
from janitor.web.desk import Desk
from janitor.web.injected import Operator, TheDesk
from janitor.web.pages.page import job_of, kept_or_404, page_router
from janitor.web.queries.kept import Kept, kept_of
from janitor.web.rendering import redirect

router = page_router()

Field = Annotated[str, Form()]


@router.post("/jobs/{job_id}/run")
def run_now(
    desk: TheDesk, user: Operator, job_id: str, dry_run: Annotated[bool, Form()] = False, confirm: Field = ""
) -> Response:
    """Begin a run, and lead to it."""
    wanted = job_of(desk, job_id)
    try:
        run_id = actions.run_now(desk.daemon, desk.state, wanted, dry_run, user.name, desk.now(), confirm)
    except JanitorError as exc:
        return redirect(f"/jobs/{job_id}", f"{job_id} was not started: {exc}", wrong=True)
    return redirect(f"/runs/{run_id}", f"{'A dry run' if dry_run else 'A run'} of {job_id} has begun")


@router.post("/jobs/{job_id}/pause")
def pause(desk: TheDesk, user: Operator, job_id: str, back: Field = "") -> Response:
    """Let no further slot of a job run."""
    wanted = job_of(desk, job_id)

    def do() -> str:
        done = actions.pause(desk.state, wanted, user.name, desk.now())
        told = "is paused: its slots are skipped until it is resumed" if done else "was paused already"
        return f"{job_id} {told}"

    return _done(do, _back(back, f"/jobs/{job_id}"))


@router.post("/jobs/{job_id}/resume")
def resume(desk: TheDesk, user: Operator, job_id: str, back: Field = "") -> Response:
    """Let a paused job's slots run again."""
    kept = _kept(desk, job_id)

    def do() -> str:
        done = actions.resume(desk.state, kept.id, user.name, desk.now())
        return f"{job_id} is resumed" if done else f"{job_id} was not paused"

    return _done(do, _back(back, f"/jobs/{job_id}"))


@router.post("/runs/{run_id}/cancel")
def cancel(desk: TheDesk, user: Operator, run_id: int, back: Field = "") -> Response:
    """Ask a run to stop."""

    def do() -> str:
        done = actions.cancel(desk.state, run_id, user.name, desk.now())
        asked = "is asked to stop, and does so at its next safe point" if done else "was asked to stop already"
        return f"Run {run_id} {asked}"

    return _done(do, _back(back, f"/runs/{run_id}"))


@router.post("/runs/{run_id}/delete")
def delete(desk: TheDesk, user: Operator, run_id: int) -> Response:
    """Delete a run, and lead to its job."""
    with desk.state.read() as connection:
        row = run_records.get(connection, run_id)
    try:
        deletion.delete(desk.state, desk.jobs, desk.settings, run_id, user.name, desk.now())
    except JanitorError as exc:
        return redirect(f"/runs/{run_id}" if row is not None else "/history", str(exc), wrong=True)
    with desk.state.read() as connection:
        is_kept = row is not None and kept_of(connection, desk.jobs, row.job) is not None
    path = f"/jobs/{row.job}" if row is not None and is_kept else "/history"
    return redirect(path, f"Run {run_id} is deleted")


@router.post("/jobs/{job_id}/quarantine/retry")
def retry(desk: TheDesk, user: Operator, job_id: str, key: Annotated[str | None, Form()] = None) -> Response:
    """Let the next run look first at the quarantined rows of a key, or at all quarantined rows."""
    kept = _kept(desk, job_id)

    def do() -> str:
        count = actions.retry(desk.state, job_id, key, user.name, desk.now(), kept.names)
        if not count:
            return f"Nothing in the quarantine of {job_id} is called {key}" if key else "The quarantine is empty"
        return f"{key or 'All of the quarantine'} is looked at first by the next run of {job_id}"

    return _done(do, f"/jobs/{job_id}#quarantine")


@router.post("/jobs/{job_id}/quarantine/drop")
def drop(desk: TheDesk, user: Operator, job_id: str, key: Field = "", note: Field = "") -> Response:
    """Give up the quarantined rows of a key, with a note."""
    kept = _kept(desk, job_id)

    def do() -> str:
        count = actions.drop(desk.state, job_id, key, note, user.name, desk.now(), kept.names)
        return f"{key} is given up" if count else f"Nothing in the quarantine of {job_id} is called {key}"

    return _done(do, f"/jobs/{job_id}#quarantine")


def _kept(desk: Desk, job_id: str) -> Kept:
    with desk.state.read() as connection:
        return kept_or_404(desk, connection, job_id)


def _done(do: Callable[[], str], path: str) -> Response:
    """Do something, and lead to a page that says what was done, or why it was not done."""
    try:
        return redirect(path, do())
    except JanitorError as exc:
        return redirect(path, str(exc), wrong=True)


def _back(wanted: str, otherwise: str) -> str:
    return "/jobs" if wanted == "/jobs" else otherwise
