"""Jobs that depend on one another, and what a test reads from their picture."""

import random
import re
import xml.etree.ElementTree as Xml
from collections.abc import Mapping, Sequence
from typing import Any

from janitor.jobs import Job
from janitor.web.charts import graph
from tests.small_engine import job_of

Wanted = Mapping[str, Sequence[str]]


def jobs_of(wanted: Wanted, **more: Any) -> dict[str, Job]:
    return {name: job_of(print, id=name, dependencies=list(before), **more) for name, before in wanted.items()}


def large(count: int, seed: int) -> dict[str, Job]:
    dice = random.Random(seed)
    names = [f"job_{number}" for number in range(count)]
    wanted = {name: dice.sample(names[:at], min(at, dice.randrange(4))) for at, name in enumerate(names)}
    return jobs_of(wanted)


def drawn(jobs: Mapping[str, Job], running: Sequence[str] = (), here: str = "", **statuses: str) -> Xml.Element:
    shown = graph.Shown(dict.fromkeys(jobs, "succeeded") | statuses, running, here)
    return Xml.fromstring(graph.picture(jobs, shown))


def nodes(svg: Xml.Element) -> dict[str, Xml.Element]:
    return {node.attrib["id"].removeprefix("node-"): node for node in svg.iter("a")}


def place(node: Xml.Element) -> tuple[float, float]:
    found = re.fullmatch(r"translate\((\S+) (\S+)\)", node.attrib["transform"])
    assert found
    return float(found[1]), float(found[2])
