"""Each statement on the state database, explained on a filled one: none scans what grows with time."""

import re
from pathlib import Path

import pytest

from tests.explained import Sent, noted, scans
from tests.small_engine import DATABASES, empty_state, migrated
from tests.state import parcels
from tests.statements import at_work, years

SMALL = {"jobs", "leases", "cursors", "memories", "identity", "alembic_version", "item_pipelines", "item_counts"}
"""Tables with a row for each job, process, feed or pipeline; the counts of items are summed up again and again."""
COUNTS = re.compile(r"count\(.*\sFROM quarantine\s.*\sGROUP BY quarantine\.name", re.DOTALL)
"""What tells how many rows wait in each quarantine: it reads them all, along an index."""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", DATABASES)
def test_no_statement_scans_what_grows(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a state database with thousands of rows in each table that grows, on SQLite and on MariaDB.
    # What happens: daemons start, run, tell and prune; every page, API call and verb is used; each statement that was
    # sent is explained.
    # What must hold: none reads such a table from end to end. The check itself can fail.
    request.param = kind
    url = empty_state(request, tmp_path)
    state = migrated(url)
    years.fill_all(state)
    parcels.fill(state, years.ROWS)
    state.close()
    monkeypatch.chdir(tmp_path)
    with noted() as sends:
        at_work.daemon(sends, url, tmp_path)
        at_work.pages(sends, url, tmp_path)
        at_work.verbs(sends, url, tmp_path, monkeypatch.setenv)
    urls = {sent.url for sent in sends if not str(sent.url.database).endswith(".tmp")}
    each = [sent for sent in sends.of_each_shape(urls) if not COUNTS.search(sent.statement)]
    assert len(each) > 100
    found = [scan for sent in each for scan in scans(sent, SMALL)]
    assert not found, "\n".join(found)
    of_sqlite = (
        "SELECT job, max(at) FROM actions WHERE job IS NOT NULL GROUP BY job",
        "SELECT max(id) FROM runs WHERE outcome IS NOT NULL GROUP BY job",
    )
    for statement in (
        *(of_sqlite if kind == "sqlite" else ()),
        "SELECT DISTINCT reason FROM runs",
        "SELECT id FROM runs ORDER BY ended_at LIMIT 10",
        "SELECT count(*) FROM run_logs WHERE message = 'x'",
    ):
        assert scans(Sent(url, statement, (), {"no_parameters": True}), SMALL), statement
