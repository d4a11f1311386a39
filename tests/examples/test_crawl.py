"""The example of the README, from nothing: real sites on loopback, real runs, and what is on record of them."""

import socket
from pathlib import Path

import pytest

from examples.crawl import tasks
from examples.crawl.site import SITES, serving
from janitor.jobs_file.loading import load
from tests.command_line import ROOT, CommandLine
from tests.jobs_file.files import clock

FILE = str(ROOT / "examples" / "crawl" / "jobs.yaml")


@pytest.mark.slow
def test_the_command_of_the_readme_runs_it_from_nothing(tmp_path: Path) -> None:
    janitor = CommandLine(tmp_path, environment={"JOBS_FILE": FILE})
    ended = janitor("run", "report", "--with-dependencies")
    assert ended.code == 0, ended.err
    rows = janitor("history", "--json").json
    assert [row["job"] for row in rows[:1]] == ["report"] and len(rows) == 7
    report = janitor("show", str(rows[0]["run"]), "--json").json
    pages = {site: len(list((SITES / site).glob("*.html"))) for site in ("garden", "kitchen", "workshop")}
    assert report["result"]["sites"] == 3 and report["result"]["pages"] == sum(pages.values())
    for job, run in report["used"].items():
        told = janitor("show", str(run), "--json").json
        site = job.removeprefix("process_")
        assert (told["result"]["site"], told["result"]["pages"]) == (site, pages[site])
        assert told["progress"] == {f"{site}/words": {"done": pages[site], "total": pages[site]}}
    said = " ".join(line["message"] for line in report["log"])
    assert "garden: 5 pages" in said and "dead links: /ladder.html" in said and "dead links: /paint.html" in said


def test_a_site_is_gone_once_it_was_crawled() -> None:
    with serving("garden") as root:
        port = int(root.rpartition(":")[2])
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()


def test_a_site_that_is_not_there_is_told() -> None:
    with pytest.raises(ValueError, match="there is no site attic: the sites are garden, kitchen, workshop"):
        tasks.crawl("attic")


def test_each_site_of_the_file_is_there() -> None:
    jobs = load(Path(FILE), clock()).jobs
    assert sorted(jobs) == sorted(["report", *(f"{kind}_{site}" for kind in ("crawl", "process") for site in sites())])


def sites() -> list[str]:
    return [folder.name for folder in SITES.iterdir()]
