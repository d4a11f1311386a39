"""Other services that jobs need: each is asked by its own means, and what is wrong is one finding."""

from pathlib import Path

import pytest

from janitor.checks.everything import findings
from janitor.checks.finding import Finding
from janitor.checks.services import of_service, services_of
from janitor.items import FolderStore, Step
from janitor.jobs import Job, schedules
from janitor.needs import DatabaseNeed, Need, ServiceNeed
from janitor.settings import Settings
from tests.jobs_file import pipes
from tests.jobs_file.files import clock
from tests.jobs_file.pipes import OwnInbox, look


def need(what: str, *settings: str) -> ServiceNeed:
    """A service that `pipes.look` looks at."""
    return ServiceNeed(f"the folder {what}", lambda _: look(what), settings)


def job(name: str, *needs: Need) -> Job:
    return Job(name, print, (), {}, schedules.every(300), needs=needs)


def test_each_service_has_the_names_of_its_jobs() -> None:
    one, other = need("in"), need("out")
    jobs = [job("a", one, one), job("b", DatabaseNeed("LAB_DATABASE_URL")), job("c", other, one)]
    assert services_of(jobs) == {one: "a, c", other: "c"}


def test_the_steps_of_a_pipeline_need_its_store_together() -> None:
    scheduler = clock()
    steps = [Step("a", pipes.well), Step("b", pipes.well)]
    scheduler.add_pipeline("p", steps, store=FolderStore("out"), inboxes=[OwnInbox("i", "in")])
    found = {need.what: names for need, names in services_of(scheduler.jobs.values()).items()}
    assert found.pop("the folder in") == "p.i" and list(found.values()) == ["p.a, p.b"]


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("quiet", [Finding("ok", "the folder quiet is as it must be (a, b)")]),
        (
            "in",
            [
                Finding("ok", "the folder in is as it must be (a, b)"),
                Finding("note", "the folder in: in has room for 7 files"),
            ],
        ),
        ("away", [Finding("WRONG", "the folder away: it is away")]),
        ("broken", [Finding("WRONG", "the folder broken: KeyError: 'rack'")]),
    ],
)
def test_what_a_service_tells_is_a_finding(what: str, found: list[Finding]) -> None:
    assert list(of_service(Settings.load({}, None), need(what), "a, b")) == found


def test_a_pipeline_of_a_jobs_file_is_looked_at(tmp_path: Path) -> None:
    # Given: a pipeline with an inbox whose folder is away, one that is well, and one whose setting is missing.
    # What happens: everything is looked at. What must hold: each has its finding, and the last is not asked.
    inboxes = "".join(f"      {name}: {{use: 'PIPES:OwnInbox', folder: {name}}}\n" for name in ("away", "quiet"))
    text = f"{pipes.PIPE}    inboxes:\n{inboxes}    store: {{use: FolderStore, path: '{tmp_path}'}}\n"
    jobs = pipes.jobs(tmp_path, text, P_QUIET_ENABLED="false").values()
    settings = {"STATE_DATABASE_URL": f"sqlite:///{tmp_path}/state.db", "HEARTBEAT_FILE": str(tmp_path / "beat")}
    given = [found for found in findings(Settings.load({**settings, "OWN_FOLDER": "in"}, None), jobs)]
    assert Finding("WRONG", "the folder away: it is away") in given
    assert not [found for found in given if "the folder quiet" in found.text], "it is switched off"
    assert [found.verdict for found in given if str(tmp_path) in found.text and "(p.a)" in found.text] == ["ok"]
    lacking = [found.text for found in findings(Settings.load(settings, None), jobs) if found.verdict == "WRONG"]
    assert lacking == [
        "OWN_FOLDER is missing: p.away needs it (P_AWAY_ENABLED=false would do without); "
        "give what the folder away wants there"
    ]
    everything = list(findings(Settings.load({**settings, "OWN_FOLDER": "in"}, None), jobs, everything=True))
    assert Finding("ok", "the folder quiet is as it must be (p.quiet)") in everything
