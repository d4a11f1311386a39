"""The Grafana dashboard and the alert rules: they use only metrics that exist, and Prometheus takes them."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from docs.marked import cells
from janitor.engine.stages import Slot
from janitor.scheduler import Scheduler
from janitor.state import ledger
from janitor.state.run_records import BY_HAND
from tests.command_line import ROOT
from tests.notices import parcel_house
from tests.small_engine import empty_state, eventually, now, remember
from tests.web.desks import add_jobs, ask, served

DASHBOARD = ROOT / "deploy" / "grafana_dashboard.json"
RULES = ROOT / "deploy" / "prometheus_alerts.yml"
NAME = re.compile(r"\b(?:janitor|process)_[a-z_]+\b")


def panels() -> list[dict[str, Any]]:
    """Return the dashboard's panels, without the titles of rows."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> list[str]:
    """Return every expression of the dashboard and of the rules."""
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
    return [target["expr"] for panel in panels() for target in panel["targets"]] + [rule["expr"] for rule in rules]


def add_all(scheduler: Scheduler) -> None:
    """Jobs, and a pipeline."""
    add_jobs(scheduler)
    parcel_house.build(scheduler)


@pytest.fixture(params=["sqlite"])
def exposed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, set[str]]]:
    """Give the samples that a daemon exposes after its jobs ran: name -> labels."""
    with served(empty_state(request, tmp_path), tmp_path, add_all) as (desk, address):
        with desk.state.begin() as connection:
            ledger.enter(connection, "follow", {bytes(16): bytes(16)}, now())
        for job in ("follow", "reconcile"):
            remember(desk.state, job, now())
            desk.runner.execute(desk.jobs[job], Slot(None, BY_HAND))
        desk.daemon.heartbeat.beat()
        text = eventually(lambda: "janitor_ledger_entries" in (found := ask(f"{address}/metrics").text) and found)
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    yield {sample.name: set(sample.labels) for sample in samples}


def test_only_metrics_that_exist_are_asked_for(exposed: dict[str, set[str]]) -> None:
    asked = {name for expression in expressions() for name in NAME.findall(expression)}
    assert asked <= set(exposed), asked - set(exposed)
    assert {name for name in exposed if name.startswith("janitor_")} - asked <= {
        "janitor_start_delay_seconds_count"
    } | {name for name in exposed if name.endswith(("_sum", "_count"))}
    labels = set().union(*(labels for name, labels in exposed.items() if not name.startswith("janitor_build")))
    assert labels == {
        *("job", "outcome", "operation", "result", "le", "loop"),
        *("pipeline", "state", "status", "kind"),
    }


def test_the_reference_tells_of_every_metric(exposed: dict[str, set[str]]) -> None:
    rows = cells((ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8"))
    labels = {name.strip("`"): set(re.findall(r"`(\w+)`", row)) for name, _, row, _ in rows}
    told = set(labels)
    parts = ("_bucket", "_sum", "_count")
    there = {name for name in exposed if name.startswith("janitor_") and not name.endswith(parts)}
    there |= {name.removesuffix("_bucket") for name in exposed if name.endswith("_bucket")}
    assert told == there
    for name, found in exposed.items():
        if name in told:
            assert found == labels[name], name


def test_the_dashboard_is_whole() -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert [variable["name"] for variable in dashboard["templating"]["list"]] == ["datasource", "job"]
    rows = [panel["title"] for panel in dashboard["panels"] if panel["type"] == "row"]
    assert {"Overview", "Runs", "Data", "Items", "Broker"} <= set(rows)
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    for panel in panels():
        assert panel["description"] and panel["targets"], panel["title"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}
    for a, b in combinations((panel["gridPos"] for panel in dashboard["panels"]), 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], (a, b)


def test_every_alert_says_what_to_do() -> None:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical"), rule
        summary, description = rule["annotations"]["summary"], rule["annotations"]["description"]
        assert summary.endswith(".") and len(summary) < 80 and len(description) > len(summary), rule
    of_daemon = {"Absent", "ClockSilent", "NotReady", "RecordsWaiting", "LoopFailing", "HostClockOff"}
    of_jobs = {"JobFailing", "JobOverdue", "QuarantineGrowing", "DriftFound"}
    of_items = {"StepFails", "ItemsWait", "DeadLettersGrowing", "RepliesGivenUp"}
    assert {rule["alert"] for rule in rules} == {f"Janitor{name}" for name in of_daemon | of_jobs | of_items}


def promtool(*arguments: str) -> None:
    """Run promtool, if it is installed; the test fails with its words if it does not agree."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (on Debian: apt-get install prometheus)")
    ended = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_prometheus_takes_the_rules_and_they_fire_in_time() -> None:
    promtool("check", "rules", str(RULES))
    promtool("test", "rules", str(ROOT / "tests" / "deploy" / "prometheus_alerts_test.yml"))


def test_prometheus_takes_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    asked = [text.replace("$job", "x").replace("$__rate_interval", "5m") for text in expressions()]
    rules = [{"record": f"check:{number}", "expr": text} for number, text in enumerate(asked)]
    (tmp_path / "rules.yml").write_text(
        json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8"
    )
    promtool("check", "rules", str(tmp_path / "rules.yml"))
