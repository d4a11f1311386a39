"""How jobs depend on one another, and how each stands."""

from janitor.state import State
from janitor.web.queries.graph import graph_of
from tests.small_engine import job_of
from tests.web.queries.past import add, ask

JOBS = {
    "report": job_of(print, id="report", title="Report", dependencies=["count", "crawl"]),
    "count": job_of(print, id="count", dependencies=["crawl"]),
    "crawl": job_of(print, id="crawl"),
}


def test_each_job_comes_after_those_that_it_depends_on(state: State) -> None:
    nodes = ask(state, graph_of, JOBS).jobs
    assert [node.id for node in nodes] == ["crawl", "count", "report"]
    assert (nodes[2].title, nodes[2].dependencies) == ("Report", ["count", "crawl"])
    assert {node.status for node in nodes} == {"not_run"} and not any(node.running for node in nodes)


def test_nodes_tell_what_runs_and_what_failed(state: State) -> None:
    add(state, "crawl", 0)
    add(state, "crawl", 5, None)
    add(state, "count", 1, "failed")
    found = {node.id: (node.status, node.running) for node in ask(state, graph_of, JOBS).jobs}
    assert found == {"crawl": ("succeeded", True), "count": ("failed", False), "report": ("not_run", False)}


def test_a_job_that_is_left_out_has_no_node(state: State) -> None:
    without = {id: job for id, job in JOBS.items() if id != "crawl"}
    assert [node.id for node in ask(state, graph_of, without).jobs] == ["count", "report"]
    assert ask(state, graph_of, {}).jobs == []
