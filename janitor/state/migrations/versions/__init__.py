"""Every version of the schema, with its steps. A release never changes the steps of a version that was released."""

from collections.abc import Callable, Iterator, Mapping

from janitor.state.migrations.steps import Step
from janitor.state.migrations.versions import (
    v0001_first_schema,
    v0002_operators,
    v0003_jobs_file,
    v0004_ledger_keys,
    v0005_refusals,
    v0006_names_and_ages,
    v0007_items,
)

VERSIONS: Mapping[str, Callable[[], Iterator[Step]]] = {
    "0001": v0001_first_schema.steps,
    "0002": v0002_operators.steps,
    "0003": v0003_jobs_file.steps,
    "0004": v0004_ledger_keys.steps,
    "0005": v0005_refusals.steps,
    "0006": v0006_names_and_ages.steps,
    "0007": v0007_items.steps,
}
