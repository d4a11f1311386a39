"""The pages of the dashboard: each reads models and renders a template; its forms lead to `janitor.operations`."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, timezone
from functools import partial
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from janitor.errors import JanitorError
from janitor.jobs.job import Job
from janitor.operations import actions, deletion
from janitor.state import notices, run_records
from janitor.web.access.gate import User
from janitor.web.access.permissions import changing, csrf_token, signs_in, viewer
from janitor.web.charts import graph, of_models, svg
from janitor.web.desk import Desk
from janitor.web.parameters import desk
from janitor.web.queries import given
from janitor.web.queries import jobs as queries
from janitor.web.queries import models
from janitor.web.queries.lately import Lately
from janitor.web.queries.overview import notices_of
from janitor.web.queries.overview import overview as overview_of
from janitor.web.rendering import in_background, markdown, redirect, render, with_query

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

PAGE, JOB_PAGE = 50, 20
QUARANTINE_PAGE = 25
JOBS_PAGE = 50
LOG_PAGE = 500
OUTCOMES: tuple[str, ...] = get_args(models.Outcome)
STATUSES: tuple[str, ...] = get_args(models.Status)
LEVELS = (("", "all"), ("INFO", "info and above"), ("WARNING", "warnings and errors"), ("ERROR", "errors"))
KINDS = (("", "runs and actions"), ("runs", "runs"), ("actions", "what people did"))

TheDesk = Annotated[Desk, Depends(desk)]
Viewer = Annotated[User, Depends(viewer)]
Operator = Annotated[User, Depends(changing)]
Text = Annotated[str, Query(max_length=300)]


@router.get("/")
def overview(request: Request, desk: TheDesk, user: Viewer) -> Response:
    """The last 24 hours across all jobs."""
    return _page(request, desk, user, "overview.html", **_lately(request, "overview", lambda: _overview(desk)))


def _overview(desk: Desk) -> dict[str, Any]:
    now = _now()
    with desk.state.read() as connection:
        view = overview_of(connection, desk.jobs, now)
    drawn = [
        (title, unit, of_models.hours(view.hours, field, unit), field, sum(getattr(hour, field) for hour in view.hours))
        for title, unit, field in (
            ("Messages published per hour", "messages", "published"),
            ("Rows synced per hour", "rows", "rows"),
        )
    ]
    troubled = view.conditions.get("overdue", 0) + view.conditions.get("failing", 0)
    span, minutes = of_models.span(view)
    since = now - timedelta(hours=span)
    values: dict[str, Any] = {"view": view, "charts": drawn, "failures": _alike(view.failed), "now": now}
    values["undelivered"] = [one for one in view.undelivered if (one.ended_at or now) >= view.since]
    values |= {"span": span, "since": since, "hours": svg.lane_times(since, now, minutes)}
    values["lanes"] = [(row.job, of_models.lane(row, since, now, minutes)) for row in view.timeline]
    return values | {"troubled": troubled, "verdict": _verdict(view, troubled, bool(values["undelivered"]))}


@router.get("/jobs")
def jobs(
    request: Request,
    desk: TheDesk,
    user: Viewer,
    tag: Text = "",
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """Every job in a row, or those with a tag; 50 on a page."""
    found = _lately(request, "jobs", lambda: _jobs(desk))
    lines = [line for line in found["jobs"] if not tag or tag in line.tags]
    shown, drawn = lines[offset : offset + JOBS_PAGE], found["strips"]
    for line in shown:
        if line.id not in drawn:
            drawn[line.id] = of_models.strip(line)
    more = {"jobs": shown, "tag": tag, "count": len(lines)}
    before, after = max(0, offset - JOBS_PAGE), offset + JOBS_PAGE
    more["newer"] = with_query("/jobs", {"tag": tag, "offset": before or None}) if offset else None
    more["older"] = with_query("/jobs", {"tag": tag, "offset": after}) if len(lines) > after else None
    return _page(request, desk, user, "jobs.html", **found | more)


def _jobs(desk: Desk) -> dict[str, Any]:
    now = _now()
    with desk.state.read() as connection:
        lines = queries.jobs(connection, desk.jobs, now)
    troubled = sum(line.condition in ("overdue", "failing") for line in lines)
    tags = sorted({name for line in lines for name in line.tags})
    return {"jobs": lines, "strips": {}, "tags": tags, "troubled": troubled, "now": now}


@router.get("/graph")
def graph_page(request: Request, desk: TheDesk, user: Viewer, tag: Text = "", whole: bool = False) -> Response:
    """How all jobs depend on one another, or those with a tag."""
    # What anybody might ask for is not remembered.
    known = any(tag in ("", *job.tags) for job in desk.jobs.values())
    find = partial(_graph, desk, None, tag, whole)
    drawn = _lately(request, f"graph {whole} {tag}", find) if known else find()
    sized = with_query("/graph", {"tag": tag, "whole": not whole and "true"})
    return _page(request, desk, user, "graph.html", **drawn, tag=tag, whole=whole, sized=sized, now=_now())


def _graph(desk: Desk, job_id: str | None, tag: str = "", whole: bool = False) -> dict[str, Any]:
    all_jobs = graph.around(desk.jobs, job_id)
    tags = sorted({name for job in all_jobs.values() for name in job.tags})
    shown = {name: job for name, job in all_jobs.items() if not tag or tag in job.tags}
    with desk.state.read() as connection:
        nodes = queries.graph(connection, shown).jobs
    statuses = {node.id: node.status for node in nodes}
    running = {node.id for node in nodes if node.running}
    drawn = graph.picture(shown, graph.Shown(statuses, running, job_id or ""), whole)
    counts = [(name, sum(status == name for status in statuses.values())) for name in STATUSES]
    return {"picture": drawn, "tags": tags, "counts": counts, "running": len(running)}


@router.get("/jobs/{job_id}")
def job(
    request: Request,
    desk: TheDesk,
    user: Viewer,
    job_id: str,
    outcome: Text = "",
    before: Text = "",
    dropped: bool = False,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """One job: what it is, how it went, what waits in its quarantine."""
    now = _now()
    outcome = outcome if outcome in OUTCOMES else ""
    wanted = _known(desk, job_id)
    with desk.state.read() as connection:
        view = queries.job(connection, desk.jobs, wanted, desk.settings, now)
        kept = queries.quarantine(connection, job_id, QUARANTINE_PAGE, offset, dropped=dropped)
        only = queries.Filter(job_id, outcome or None)
        history = queries.history(connection, desk.jobs, only, JOB_PAGE, before or None)
    path, shown = f"/jobs/{job_id}", {"outcome": outcome, "dropped": dropped and "true"}
    newer = with_query(path, shown | {"offset": max(0, offset - QUARANTINE_PAGE)}) if offset else None
    older = with_query(path, shown | {"offset": kept.next_offset}) if kept.next_offset is not None else None
    return _page(
        request,
        desk,
        user,
        "job.html",
        view=view,
        job=view.job,
        charts=of_models.of_job(view.points),
        picture=_graph(desk, job_id)["picture"],
        notes=markdown(view.notes),
        quarantine=kept,
        dropped=dropped,
        quarantine_newer=newer and f"{newer}#quarantine",
        quarantine_older=older and f"{older}#quarantine",
        history=history,
        outcome=outcome,
        outcomes=OUTCOMES,
        newer=f"{with_query(path, shown)}#history" if before else None,
        older=f"{with_query(path, shown | {'before': history.next})}#history" if history.next else None,
        now=now,
    )


@router.get("/runs/{run_id}")
def run(
    request: Request,
    desk: TheDesk,
    user: Viewer,
    run_id: int,
    level: Text = "",
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Response:
    """One run: how it ended and why, what it did, its log."""
    now = _now()
    level = level if level in dict(LEVELS) else ""
    with desk.state.read() as connection:
        view = queries.run(connection, run_id, now, partial(given.beginning, mask=desk.runner.mask))
        if view is None:
            raise HTTPException(404, f"There is no run {run_id}: it was never begun, or the history forgot it.")
        tail = view.going is not None and not after
        log = queries.log(connection, run_id, after, LOG_PAGE, tail=tail, least=level)
    assert log is not None
    path = f"/runs/{run_id}"
    return _page(
        request,
        desk,
        user,
        "run.html",
        view=view,
        run=view.run,
        known=view.run.job in desk.jobs,
        protected=view.run.job in desk.jobs and desk.jobs[view.run.job].protect,
        arguments=given.arguments(view.config, {one.job: one.run for one in view.used if one.kept}),
        result=view.result,
        lines=log.lines,
        last_line=log.next_after,
        level=level,
        levels=LEVELS,
        first_page=f"{with_query(path, {'level': level})}#log" if after else None,
        more_lines=f"{with_query(path, {'level': level, 'after': log.next_after})}#log" if log.more else None,
        now=now,
    )


@router.get("/history")
def history(
    request: Request,
    desk: TheDesk,
    user: Viewer,
    job: Text = "",
    outcome: Text = "",
    what: Text = "",
    until: Text = "",
    before: Text = "",
) -> Response:
    """Every run and every action, the newest first."""
    outcome = outcome if outcome in OUTCOMES and what != "actions" else ""
    day = _day(until)
    filters = {"job": job, "outcome": outcome, "what": what, "until": day.date().isoformat() if day else ""}
    ends = day + timedelta(days=1) if day else None
    wanted = queries.Filter(job or None, outcome or None, until=ends)
    with desk.state.read() as connection:
        found = _events(connection, desk, wanted, what, before or None)
    return _page(
        request,
        desk,
        user,
        "history.html",
        history=found,
        filters=filters,
        filtered=any(filters.values()),
        job_ids=sorted({*desk.jobs, *([job] if job else [])}),
        outcomes=OUTCOMES,
        kinds=KINDS,
        newer=with_query("/history", filters) if before else None,
        older=with_query("/history", filters | {"before": found.next}) if found.next else None,
    )


@router.get("/notices")
def told(request: Request, desk: TheDesk, user: Viewer) -> Response:
    """What people were told, and what a channel did not take."""
    with desk.state.read() as connection:
        view = notices_of(connection)
    return _page(request, desk, user, "notices.html", view=view)


@router.post("/jobs/{job_id}/run")
def run_now(
    desk: TheDesk,
    user: Operator,
    job_id: str,
    dry_run: Annotated[bool, Form()] = False,
    confirm: Annotated[str, Form()] = "",
) -> Response:
    """Begin a run, and lead to it."""
    wanted = _known(desk, job_id)
    try:
        run_id = actions.run_now(desk.daemon, desk.state, wanted, dry_run, user.name, _now(), confirm)
    except JanitorError as exc:
        return redirect(f"/jobs/{job_id}", f"{job_id} was not started: {exc}", wrong=True)
    return redirect(f"/runs/{run_id}", f"{'A dry run' if dry_run else 'A run'} of {job_id} has begun")


@router.post("/jobs/{job_id}/pause")
def pause(desk: TheDesk, user: Operator, job_id: str, back: Annotated[str, Form()] = "") -> Response:
    """Let no further slot of a job run."""
    wanted = _known(desk, job_id)

    def do() -> str:
        done = actions.pause(desk.state, wanted, user.name, _now())
        return (
            f"{job_id} is paused: its slots are skipped until it is resumed" if done else f"{job_id} was paused already"
        )

    return _done(do, _back(back, f"/jobs/{job_id}"))


@router.post("/jobs/{job_id}/resume")
def resume(desk: TheDesk, user: Operator, job_id: str, back: Annotated[str, Form()] = "") -> Response:
    """Let a paused job's slots run again."""
    wanted = _known(desk, job_id)

    def do() -> str:
        done = actions.resume(desk.state, wanted, user.name, _now())
        return f"{job_id} is resumed" if done else f"{job_id} was not paused"

    return _done(do, _back(back, f"/jobs/{job_id}"))


@router.post("/runs/{run_id}/cancel")
def cancel(desk: TheDesk, user: Operator, run_id: int, back: Annotated[str, Form()] = "") -> Response:
    """Ask a run to stop."""

    def do() -> str:
        done = actions.cancel(desk.state, run_id, user.name, _now())
        asked = "is asked to stop, and does so at its next safe point" if done else "was asked to stop already"
        return f"Run {run_id} {asked}"

    return _done(do, _back(back, f"/runs/{run_id}"))


@router.post("/runs/{run_id}/delete")
def delete(desk: TheDesk, user: Operator, run_id: int) -> Response:
    """Delete a run, and lead to its job."""
    with desk.state.read() as connection:
        row = run_records.get(connection, run_id)
    try:
        deletion.delete(desk.state, desk.jobs, desk.settings, run_id, user.name, _now())
    except JanitorError as exc:
        return redirect(f"/runs/{run_id}" if row is not None else "/history", str(exc), wrong=True)
    return redirect(
        f"/jobs/{row.job}" if row is not None and row.job in desk.jobs else "/history", f"Run {run_id} is deleted"
    )


@router.post("/jobs/{job_id}/quarantine/retry")
def retry(desk: TheDesk, user: Operator, job_id: str, key: Annotated[str | None, Form()] = None) -> Response:
    """Let the next run look at quarantined rows first: those of a key, or all."""
    _known(desk, job_id)

    def do() -> str:
        count = actions.retry(desk.state, job_id, key, user.name, _now())
        if not count:
            return f"Nothing in the quarantine of {job_id} is called {key}" if key else "The quarantine is empty"
        return f"{key or 'All of the quarantine'} is looked at first by the next run of {job_id}"

    return _done(do, f"/jobs/{job_id}#quarantine")


@router.post("/jobs/{job_id}/quarantine/drop")
def drop(
    desk: TheDesk, user: Operator, job_id: str, key: Annotated[str, Form()] = "", note: Annotated[str, Form()] = ""
) -> Response:
    """Give a quarantined row up, with a note."""
    _known(desk, job_id)

    def do() -> str:
        count = actions.drop(desk.state, job_id, key, note, user.name, _now())
        return f"{key} is given up" if count else f"Nothing in the quarantine of {job_id} is called {key}"

    return _done(do, f"/jobs/{job_id}#quarantine")


def _page(request: Request, desk: Desk, user: User, template: str, **values: Any) -> Response:
    with desk.state.read() as connection:
        count = notices.count_open(connection)
    common: dict[str, Any] = {
        "user": user,
        "csrf": csrf_token(request),
        "signs_in": signs_in(request),
        "open_notices": count,
    }
    return render(request, template, **common | values)


def _lately(request: Request, name: str, find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a page shows: fresh for whoever opens it, a little older for a page that keeps itself up to date."""
    known: Lately = request.app.state.lately
    values: dict[str, Any] = known.get(name, find, fresh=not in_background(request))
    return values


def _done(do: Callable[[], str], path: str) -> Response:
    """Do something, lead back to a page, and say there in one sentence what was done, or why it was not."""
    try:
        return redirect(path, do())
    except JanitorError as exc:
        return redirect(path, str(exc), wrong=True)


def _known(desk: Desk, job_id: str) -> Job:
    if job_id not in desk.jobs:
        raise HTTPException(404, f"There is no job {job_id}. The jobs are {', '.join(desk.jobs)}.")
    return desk.jobs[job_id]


def _back(wanted: str, otherwise: str) -> str:
    return "/jobs" if wanted == "/jobs" else otherwise


def _events(connection: Any, desk: Desk, wanted: queries.Filter, what: str, before: str | None) -> models.History:
    """A page of the history: runs and actions, or one kind of them alone."""
    place = int(before) if before and before.isdigit() and len(before) < 17 else None
    if what == "runs":
        runs = queries.listed(connection, desk.jobs, wanted, PAGE, place)
        events = [models.Event(at=one.started_at, run=one, action=None) for one in runs.runs]
        return models.History(events=events, next=_text(runs.next_before))
    if what == "actions":
        done = queries.audit(connection, wanted.job, PAGE, place, until=wanted.until)
        events = [models.Event(at=one.at, run=None, action=one) for one in done.actions]
        return models.History(events=events, next=_text(done.next_before))
    return queries.history(connection, desk.jobs, wanted, PAGE, before)


def _text(place: int | None) -> str | None:
    return None if place is None else str(place)


def _day(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), timezone.utc)
    except (ValueError, OverflowError):
        return None


def _alike(failed: Sequence[models.RunLine]) -> list[tuple[models.RunLine, int]]:
    """The newest of those runs of a job that failed for the same reason, and how many they are."""
    found: dict[tuple[str, str, str | None], tuple[models.RunLine, int]] = {}
    for run in failed:
        newest, count = found.get((run.job, run.outcome, run.reason), (run, 0))
        found[run.job, run.outcome, run.reason] = newest, count + 1
    return list(found.values())


def _verdict(view: models.Overview, troubled: int, undelivered: bool) -> str:
    count = sum(view.conditions.values())
    if troubled:
        return f"{troubled} of {count} jobs {'needs' if troubled == 1 else 'need'} you"
    if view.notices:
        return f"No job fails, but {len(view.notices)} notice{'s are' if len(view.notices) > 1 else ' is'} open"
    if undelivered:
        return "No job fails, but not every notice was delivered"
    if view.conditions.get("new", 0) == count:
        return "Nothing has run yet"
    return "All is well"


def _now() -> datetime:
    return datetime.now(timezone.utc)
