"""The picture of what depends on what: where jobs stand, which edges are drawn, and what a node says."""

import random
import re
import xml.etree.ElementTree as Xml
from collections.abc import Mapping, Sequence
from typing import Any

from janitor.jobs import Job
from janitor.web.charts import graph
from tests.small_engine import job_of

Wanted = Mapping[str, Sequence[str]]
DIAMOND: Wanted = {"top": (), "left": ("top",), "right": ("top",), "bottom": ("left", "right"), "alone": ()}


def jobs_of(wanted: Wanted, **more: Any) -> dict[str, Job]:
    return {name: job_of(print, id=name, dependencies=list(before), **more) for name, before in wanted.items()}


def drawn(jobs: Mapping[str, Job], running: Sequence[str] = (), here: str = "", **statuses: str) -> Xml.Element:
    shown = graph.Shown(dict.fromkeys(jobs, "succeeded") | statuses, running, here)
    return Xml.fromstring(graph.picture(jobs, shown))


def nodes(svg: Xml.Element) -> dict[str, Xml.Element]:
    return {node.attrib["id"].removeprefix("node-"): node for node in svg.iter("a")}


def place(node: Xml.Element) -> tuple[float, float]:
    found = re.fullmatch(r"translate\((\S+) (\S+)\)", node.attrib["transform"])
    assert found
    return float(found[1]), float(found[2])


def large(count: int, seed: int) -> dict[str, Job]:
    dice = random.Random(seed)
    names = [f"job_{number}" for number in range(count)]
    wanted = {name: dice.sample(names[:at], min(at, dice.randrange(4))) for at, name in enumerate(names)}
    return jobs_of(wanted)


def test_each_job_stands_to_the_right_of_all_that_it_depends_on() -> None:
    for seed in range(3):
        jobs = graph.around(large(60, seed), None)
        at = {name: place(node) for name, node in nodes(drawn(jobs)).items()}
        assert at.keys() == jobs.keys()
        for job in jobs.values():
            assert all(at[name][0] < at[job.id][0] for name in job.dependencies), job.id


def test_no_two_boxes_overlap_and_all_are_inside() -> None:
    svg = drawn(graph.around(large(80, 5), None))
    width, height = (float(number) for number in svg.attrib["viewBox"].split()[2:])
    places = sorted(place(node) for node in nodes(svg).values())
    for (left, top), (other, below) in zip(places, places[1:], strict=False):
        assert other > left or below >= top + graph.HEIGHT
    assert all(0 <= left <= width - graph.WIDTH and 0 <= top <= height - graph.HEIGHT for left, top in places)


def test_every_edge_ends_at_its_boxes_and_passes_no_other() -> None:
    jobs = graph.around(large(40, 2), None)
    svg = drawn(jobs)
    at = {name: place(node) for name, node in nodes(svg).items()}
    ends = [(path.attrib["data-from"], path.attrib["data-to"]) for path in svg.iter("path") if "data-to" in path.attrib]
    assert sorted(ends) == sorted((name, job.id) for job in jobs.values() for name in job.dependencies)
    lanes = "".join(path.attrib["d"] for path in svg.iter("path"))
    for path in svg.iter("path"):
        left, top = at[path.attrib["data-from"]]
        box = f"M{left + graph.WIDTH:g} {top + graph.HEIGHT / 2:g}C"
        found = re.match(r"M(\d+) (\S+)C", path.attrib["d"])
        lane = f"M{int(found[1]) - graph.WIDTH} {found[2]}h" if found else ""
        assert path.attrib["d"].startswith(box) or ("data-to" in path.attrib and lane in lanes)
        start, last = path.attrib["data-from"], path.attrib["d"].split()[-2:]
        if "data-to" in path.attrib:
            left, top = at[path.attrib["data-to"]]
            assert [float(number) for number in last] == [left, top + graph.HEIGHT / 2]
        for lane, height in re.findall(r"M(\d+) (\S+)h", path.attrib["d"]):
            assert float(lane) > at[start][0]
            beside = [top for left, top in at.values() if left == float(lane)]
            assert all(not top < float(height) < top + graph.HEIGHT for top in beside), (start, lane, height)


def test_the_edges_of_a_ladder_do_not_cross() -> None:
    wanted: dict[str, Sequence[str]] = {f"a{number}": () for number in range(6)}
    # With one more that all depend on, the order in which they could run is no help.
    wanted |= {"all": ()} | {f"b{number}": (f"a{5 - number}", "all") for number in range(6)}
    first, second = graph.layered(jobs_of(wanted))
    assert [wanted[name][0] for name, _ in second] == [name for name, _ in first if name != "all"]


def test_groups_that_have_nothing_to_do_with_one_another_stand_below_one_another() -> None:
    jobs = jobs_of({"a": (), "x": (), "c": (), "b": ("a", "c"), "y": ("x",)})
    assert [list(group) for group in graph.apart(jobs)] == [["a", "c", "b"], ["x", "y"]]
    at = {name: place(node)[1] for name, node in nodes(drawn(jobs)).items()}
    assert max(at["a"], at["b"], at["c"]) + graph.HEIGHT < min(at["x"], at["y"])


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


def test_a_long_id_is_cut_where_it_is_shown_and_whole_in_its_title() -> None:
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
