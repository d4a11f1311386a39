"""What a scrape says, read back with the official parsers."""

from datetime import datetime

from prometheus_client import parser as prometheus
from prometheus_client.openmetrics import parser as openmetrics

from janitor.engine.stages import Slot
from janitor.state.run_records import BY_HAND
from janitor.web.desk import Desk
from tests.web.desks import ask

OPENMETRICS = "application/openmetrics-text; version=1.0.0"

Samples = dict[tuple[str, ...], float]


def scraped(address: str, accept: str = "") -> Samples:
    """The samples of a scrape: (name, label values in the order of their names) -> value."""
    answer = ask(f"{address}/metrics", **({"Accept": accept} if accept else {}))
    assert answer.status == 200
    parser = openmetrics if accept else prometheus
    samples = [sample for family in parser.text_string_to_metric_families(answer.text) for sample in family.samples]
    found = {(one.name, *(one.labels[name] for name in sorted(one.labels))): one.value for one in samples}
    assert len(found) == len(samples)
    return found


def run(desk: Desk, job: str, slot_at: datetime | None = None, dry_run: bool = False) -> None:
    """Run a job now, to its end."""
    slot = Slot(None, BY_HAND) if slot_at is None else Slot(slot_at)
    assert desk.runner.execute(desk.jobs[job], slot, dry_run) is not None


def of(samples: Samples, name: str) -> dict[str, float]:
    """The values of one name by job."""
    return {key[1]: value for key, value in samples.items() if key[0] == name}
