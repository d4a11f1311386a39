"""Where jobs stand in the graph: behind their dependencies, apart, without crossings that can be avoided."""

from collections.abc import Sequence

from janitor.web.charts import graph
from janitor.web.charts.layers import BOX_HEIGHT, apart, layered
from tests.web.charts.graphs import drawn, jobs_of, large, nodes, place


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
        assert other > left or below >= top + BOX_HEIGHT
    assert all(0 <= left <= width - graph.BOX_WIDTH and 0 <= top <= height - BOX_HEIGHT for left, top in places)


def test_the_edges_of_a_ladder_do_not_cross() -> None:
    # All of the second layer depend on "all" too, so the order in which they could run is no help.
    wanted: dict[str, Sequence[str]] = {
        **{f"a{number}": () for number in range(6)},
        "all": (),
        **{f"b{number}": (f"a{5 - number}", "all") for number in range(6)},
    }
    first, second = layered(jobs_of(wanted))
    assert [wanted[name][0] for name, _ in second] == [name for name, _ in first if name != "all"]


def test_groups_without_a_common_edge_stand_below_each_other() -> None:
    jobs = jobs_of({"a": (), "x": (), "c": (), "b": ("a", "c"), "y": ("x",)})
    assert [list(group) for group in apart(jobs)] == [["a", "c", "b"], ["x", "y"]]
    at = {name: place(node)[1] for name, node in nodes(drawn(jobs)).items()}
    assert max(at["a"], at["b"], at["c"]) + BOX_HEIGHT < min(at["x"], at["y"])
