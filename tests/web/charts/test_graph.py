"""The picture of the graph: which jobs and edges are drawn, and what a box says."""

import re
import xml.etree.ElementTree as Xml

from janitor.web.charts import graph
from janitor.web.charts.layers import BOX_HEIGHT
from tests.web.charts.graphs import Wanted, drawn, jobs_of, large, nodes, place

DIAMOND: Wanted = {"top": (), "left": ("top",), "right": ("top",), "bottom": ("left", "right"), "alone": ()}


def test_every_edge_ends_at_its_boxes_and_passes_no_other() -> None:
    jobs = graph.around(large(40, 2), None)
    svg = drawn(jobs)
    at = {name: place(node) for name, node in nodes(svg).items()}
    ends = [(path.attrib["data-from"], path.attrib["data-to"]) for path in svg.iter("path") if "data-to" in path.attrib]
    assert sorted(ends) == sorted((name, job.id) for job in jobs.values() for name in job.dependencies)
    lanes = "".join(path.attrib["d"] for path in svg.iter("path"))
    for path in svg.iter("path"):
        left, top = at[path.attrib["data-from"]]
        box = f"M{left + graph.BOX_WIDTH:g} {top + BOX_HEIGHT / 2:g}C"
        found = re.match(r"M(\d+) (\S+)C", path.attrib["d"])
        lane = f"M{int(found[1]) - graph.BOX_WIDTH} {found[2]}h" if found else ""
        assert path.attrib["d"].startswith(box) or ("data-to" in path.attrib and lane in lanes)
        start, last = path.attrib["data-from"], path.attrib["d"].split()[-2:]
        if "data-to" in path.attrib:
            left, top = at[path.attrib["data-to"]]
            assert [float(number) for number in last] == [left, top + BOX_HEIGHT / 2]
        for lane, height in re.findall(r"M(\d+) (\S+)h", path.attrib["d"]):
            assert float(lane) > at[start][0]
            beside = [top for left, top in at.values() if left == float(lane)]
            assert all(not top < float(height) < top + BOX_HEIGHT for top in beside), (start, lane, height)


def test_a_job_shows_only_what_is_before_and_behind_it() -> None:
    jobs = jobs_of(DIAMOND)
    assert list(graph.around(jobs, None)) == ["top", "left", "right", "bottom"]
    assert list(graph.around(jobs, "left")) == ["top", "left", "bottom"]
    assert list(graph.around(jobs, "top")) == ["top", "left", "right", "bottom"]
    assert graph.around(jobs, "alone") == {}
    assert graph.picture({}, graph.Shown({})) == ""
    # An edge to a job that is left out is none.
    assert len(drawn(graph.around(jobs, "left"))[0]) == 2


def test_a_node_is_a_link_and_says_how_its_job_stands() -> None:
    jobs = jobs_of(DIAMOND, protect=True, disabled_because="off")
    del jobs["alone"]
    found = nodes(drawn(jobs, ["left"], "bottom", left="failed", right="outdated", bottom="not_run"))
    assert [node.attrib["href"] for node in found.values()] == [f"/jobs/{name}" for name in found]
    kinds = {name: node.attrib["class"] for name, node in found.items()}
    assert (kinds["top"], kinds["left"]) == ("node o-succeeded", "node o-failed going")
    assert (kinds["right"], kinds["bottom"]) == ("node o-outdated", "node o-not_run")
    assert [name for name, node in found.items() if node.get("aria-current")] == ["bottom"]
    assert "".join(found["left"].itertext()).count("failed, running, protected, switched off") == 2
    assert [name for name, node in found.items() if node.find("circle") is not None] == ["left"]


def test_a_long_id_is_cut_in_its_box_and_whole_in_its_title() -> None:
    name = "a" * 64
    jobs = jobs_of({name: (), "b": (name,)})
    node = nodes(drawn(jobs))[name]
    texts = [text.text or "" for text in node.iter("text")]
    assert len(texts[0]) == graph.LETTERS and texts[0].endswith("…")
    assert (node.find("title") is not None) and name in "".join(node.itertext())


def test_the_whole_of_it_has_no_size_of_its_own() -> None:
    jobs = jobs_of({"a": (), "b": ("a",)})
    shown = graph.Shown(dict.fromkeys(jobs, "failed"))
    assert "width" not in Xml.fromstring(graph.picture(jobs, shown, whole=True)).attrib
    assert "width" in Xml.fromstring(graph.picture(jobs, shown)).attrib


def test_boxes_may_be_anything_and_long_words_are_cut() -> None:
    box = graph.Box("a", (), "#a", "waits " * 20, "o-waiting", is_going=True)
    boxes = {"a": box, "b": graph.Box("b", ("a",), "#b", "short", "o-ok", is_here=True)}
    svg = Xml.fromstring(graph.drawn(boxes, "two things"))
    found = nodes(svg)
    assert svg.get("aria-label") == "two things" and found["a"].get("class") == "node o-waiting going"
    texts = [text.text or "" for text in found["a"].iter("text")]
    assert len(texts[1]) == graph.MOST_WORDS and "waits " * 20 in "".join(found["a"].itertext())
    assert found["b"].get("aria-current") == "page" and graph.drawn({}, "nothing") == ""
