"""The pages of jobs that build on one another: their words, and what their forms do."""

import json
import re
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path

import pytest
from sqlalchemy import select

from janitor.state.tables import actions
from tests.small_engine import eventually
from tests.web import builders
from tests.web.building_house import House, building
from tests.web.visitor import Page

CUT = 20_000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with building(tmp_path_factory.mktemp("builders")) as one:
        yield one


def section(page: Page, title: str) -> str:
    """What a person reads in the section with that heading."""
    found = re.search(rf"<h2 [^>]*>{title}.*?</section>", page.text, re.DOTALL)
    assert found, f"{page.path} has no {title}"
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[0])).split())


def node(page: Page, job: str) -> str:
    """How a job's node in the graph is coloured."""
    found = re.search(rf'<a [^>]*id="node-{job}" class="node ([^"]+)"', page.text)
    assert found, f"{job} is not in the graph"
    return found[1]


def test_the_list_shows_the_jobs_of_a_tag(house: House) -> None:
    everything = house.operator.get("/jobs")
    assert everything.link("odd & tag") == "/jobs?tag=odd%20%26%20tag"
    for tag, expected in (("words", {"process", "publish"}), ("odd%20%26%20tag", {"crawl"}), ("nobody", set())):
        page = house.operator.get(f"/jobs?tag={tag}")
        assert {link.removeprefix("/jobs/") for link in page.links("/jobs/")} == expected
    assert "No job has the tag nobody" in page.words
    assert house.operator.get("/graph?tag=words").links("/jobs/") == ["/jobs/process", "/jobs/publish"]


def test_title_and_notes_are_shown_and_run_no_script(house: House) -> None:
    page = house.operator.get("/jobs/crawl")
    assert "Crawl the garden" in page.words and "<strong>every</strong>" in page.text and "<td>garden</td>" in page.text
    assert page.link("a note") == "https://example.org/note"
    assert builders.HOSTILE not in page.text and escape(builders.HOSTILE) in page.text
    assert not [one for tag, one in page.read.tags if tag == "img" or (one.get("href") or "").startswith("javascript")]
    assert "Crawl the garden" in house.operator.get("/jobs").words
    assert "Fail." in house.operator.get("/jobs/fails").words, "without a title there is the docstring"


def test_the_graph_follows_what_runs_and_what_is_outdated(house: House) -> None:
    house.built()
    house.run("publish", confirm="publish")
    house.run("fails")
    page = house.operator.get("/graph")
    assert {node(page, job) for job in ("crawl", "process", "publish")} == {"o-succeeded"}
    assert node(page, "fails") == "o-failed"
    assert set(page.links("/jobs/")) == {f"/jobs/{job}" for job in ("crawl", "process", "publish", "fails", "later")}
    house.built()
    page = house.operator.get("/graph")
    assert [node(page, job) for job in ("process", "publish", "fails")] == ["o-succeeded", "o-outdated", "o-failed"]
    one = house.operator.get("/jobs/publish")
    assert node(one, "publish") == "o-outdated" and "Outdated: process succeeded since." in one.words
    assert 'id="node-fails"' not in one.text and 'id="graph"' not in house.operator.get("/jobs/large").text
    assert "outdated" in house.operator.get("/jobs?tag=words").words


def test_a_run_leads_to_those_it_used_and_those_that_used_it(house: House) -> None:
    crawl, process = house.built()
    page = house.operator.get(f"/runs/{process}")
    assert section(page, "Builds") == f"Builds Used run {crawl} of crawl"
    assert f"/runs/{crawl}" in page.links("/runs/")
    back = house.operator.get(f"/runs/{crawl}")
    assert f"Used by run {process} of process" in section(back, "Builds")
    assert f"/runs/{process}" in back.links("/runs/")


def test_a_run_shows_its_arguments_result_and_description(house: House) -> None:
    crawl, process = house.built()
    page = house.operator.get(f"/runs/{process}")
    said = f"result of run {crawl} of crawl"
    assert section(page, "Arguments") == f"Arguments crawled {said} more [ 7, {said} ]"
    assert section(page, "Result").endswith('{ "words": 9 }')
    first = house.operator.get(f"/runs/{crawl}")
    assert section(first, "Arguments").startswith('Arguments argument 1 "garden" argument 2 "<script>')
    assert section(first, "Arguments").endswith("depth 3")
    result = section(first, "Result")
    assert '"day": "2026-03-01", "price": "1.10"' in result and "***" in result and builders.SECRET not in result
    described = section(first, "Its job as it was described then")
    assert '"function": "tests.web.builders:crawl"' in described and '"depth": 3' in described
    assert builders.HOSTILE not in first.text


def test_of_a_large_result_a_page_shows_the_beginning(house: House) -> None:
    run = house.run("large")
    page = house.operator.get(f"/runs/{run}")
    shown = re.search(r'<pre [^>]*id="result"[^>]*>(.*?)</pre>', page.text, re.DOTALL)
    assert shown and len(unescape(shown[1])) == CUT and len(page.text) < 4 * CUT
    assert json.dumps(builders.large(), indent=2).startswith(unescape(shown[1]))
    assert page.link("all of it, as JSON") == f"/api/runs/{run}"
    whole = json.loads(house.operator.get(f"/api/runs/{run}").text)
    assert whole["result"] == builders.large()


def test_a_protected_job_is_armed_before_it_is_run(house: House) -> None:
    house.built()
    for path in ("/jobs/publish", "/jobs?tag=words", f"/runs/{house.run('publish', confirm='publish')}"):
        page = house.operator.get(path)
        forms = [form for form in page.read.forms if form.action == "/jobs/publish/run"]
        armed = re.findall(r'<details class="armed".*?</details>', page.text, re.DOTALL)
        assert len(armed) == 1 and " open" not in armed[0].partition(">")[0]
        assert armed[0].count('action="/jobs/publish/run"') == len(forms) == 2
        assert {form.fields["confirm"] for form in forms} == {"publish"}
    before, token = house.newest("publish"), page.form("/sign-out").fields["csrf_token"]
    for fields in ({}, {"confirm": ""}, {"confirm": "crawl"}, {"dry_run": "true"}):
        refused = house.operator.post("/jobs/publish/run", csrf_token=token, **fields)
        assert refused.flash.startswith("publish was not started: confirm is ")
        assert refused.flash.endswith("publish is protected: give its id to run it")
    assert house.newest("publish") == before
    plain = [form for form in house.operator.get("/jobs/crawl").read.forms if form.action == "/jobs/crawl/run"]
    assert [form.fields.get("confirm") for form in plain] == [None, None]


def test_a_job_whose_dependency_is_missing_says_which(house: House) -> None:
    house.built()
    page = house.operator.get("/jobs/later")
    assert node(page, "later") == "o-not_run" and "After its 2 dependencies" in page.words
    flash = house.operator.submit(page.form("/jobs/later/run")).flash
    assert flash.startswith("later was not started: later depends on fails, which has not succeeded yet")
    assert house.newest("later") == 0


def test_a_run_is_deleted_or_says_why_it_stays(house: House) -> None:
    crawl, process = house.built()
    stuck = Path(f"{house.seen}.stuck")
    stuck.touch()
    form = house.operator.get(f"/runs/{crawl}").form(f"/runs/{crawl}/delete")
    page = house.operator.submit(form)
    reason = f"leanup of run {crawl} of crawl failed, so that its record stays: OSError: the pages of run {crawl} are"
    assert page.path == f"/runs/{crawl}" and f"c{reason}" in page.flash
    assert f"C{reason}" in house.operator.get(f"/runs/{crawl}").words, "it is shown to whoever comes later, too"
    stuck.unlink()
    page = house.operator.submit(form)
    assert (page.path, page.flash) == ("/jobs/crawl", f"Run {crawl} is deleted")
    assert house.operator.get(f"/runs/{crawl}").status == 404
    user = house.operator.get(f"/runs/{process}")
    assert f"run {crawl}, deleted since, of crawl" in section(user, "Builds")
    assert f"/runs/{crawl}" not in user.links("/runs/")
    assert "RUN is" in house.operator.submit(form).flash
    with house.state.read() as connection:
        done = connection.execute(select(actions.c.actor, actions.c.detail).where(actions.c.action == "deleted")).all()
    assert ("olga", f"run {crawl}") in [tuple(row) for row in done]


def test_a_viewer_may_neither_delete_nor_arm(house: House) -> None:
    run = house.built()[0]
    token = house.viewer.get("/jobs").form("/sign-out").fields["csrf_token"]
    for path in ("/graph", "/jobs/publish", "/jobs", f"/runs/{run}"):
        page = house.viewer.get(path)
        assert {form.action for form in page.read.forms if form.method == "post"} == {"/sign-out"}, path
        assert 'class="armed"' not in page.text
    for path in (f"/runs/{run}/delete", "/jobs/publish/run"):
        assert house.viewer.post(path, csrf_token=token, confirm="publish").status == 403
        assert house.operator.post(path, confirm="publish").status == 403, "without the form's token"
    assert house.outcome(run) == "succeeded"


def test_parents_in_the_progress_are_the_sums_of_their_parts(house: House) -> None:
    page = house.operator.submit(house.operator.get("/jobs/walk").form("/jobs/walk/run"))
    try:
        told = eventually(lambda: "4 of 5" in (text := section(house.operator.get(page.path), "Progress")) and text)
        bars = re.sub(r" \d+ %", "", told)
        assert bars == ("Progress the whole run 16 of 45 garden 12 of 40 pages 4 of 10 words 8 of 30 kitchen 4 of 5")
    finally:
        house.seen.touch()
    run = int(page.path.removeprefix("/runs/"))
    assert eventually(lambda: house.outcome(run)) == "succeeded"


def test_log_lines_tell_their_file_and_line(house: House) -> None:
    page = house.operator.get(f"/runs/{house.run('crawl')}")
    source = Path(builders.__file__).read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(source, 1) if "has a dead link" in text)
    found = re.search(r"garden has a dead link</span><span class=\"where\">([^<]+)", page.text)
    assert found and found[1] == f"tests/web/builders.py:{line}"
    one = json.loads(house.operator.get(f"/api{page.path}/log?least=WARNING").text)["lines"][0]
    assert (one["file"], one["line"]) == ("tests/web/builders.py", line)
