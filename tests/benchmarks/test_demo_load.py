"""An hour of the demo's load: the daemon stays as small as it is once its caches are full."""

from pathlib import Path

import pytest

from benchmarks.demo_load import FASTER, SMALL_MB, samples
from janitor.engine.pruning import EVERY_SECONDS

MINUTES, SETTLED_AT, EARLY_ENDS_AT = 60, 20, 30
"""Each connection's prepared statements and pages, and what free pieces lie between others, take so long to settle."""
MORE_MEMORY = 1.05
FEW_MORE = 3
MORE_FILES = 12
"""Six connections to SQLite, of two files each: a pool has one more if more runs than before ask at the same moment."""
BYTES_OF_A_LEDGER_ROW, BYTES_OF_A_RUN, BYTES_OF_A_LINE, SLACK_BYTES = 300, 800, 350, 1_000_000
MOST_RUNS = 4 * int(FASTER["HISTORY_RUNS"]) + EVERY_SECONDS * 8 / 3 + 300
"""What is kept of four jobs, and what begins until old runs are next looked for: eight in three seconds."""


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_a_daemon_stays_as_small_as_it_is_after_twenty_minutes(tmp_path: Path) -> None:
    """Given: a daemon with the demo's load on it.

    Happens: an hour of that load, in twenty minutes.
    Must hold: memory, threads, files and the state database are what they were after twenty minutes. Only the ledger
    may grow, by what was published; and runs with their lines, until old ones are next deleted.
    """
    found = list(samples(tmp_path, MINUTES))
    early = [sample for sample in found if SETTLED_AT <= sample.minutes < EARLY_ENDS_AT]
    late = [sample for sample in found if sample.minutes >= MINUTES - (EARLY_ENDS_AT - SETTLED_AT)]
    told = "\n".join(map(str, found))
    assert len(early) >= 10 and len(late) >= 10, told
    assert max(x.memory_mb for x in late) <= SMALL_MB, told
    assert max(x.memory_mb for x in late) <= MORE_MEMORY * max(x.memory_mb for x in early), told
    assert max(x.threads for x in late) <= max(x.threads for x in early) + FEW_MORE, told
    assert max(x.files for x in late) <= max(x.files for x in early) + MORE_FILES, told
    published = late[-1].ledger_rows - early[0].ledger_rows
    assert published > 0, told
    assert max(x.runs for x in found) <= MOST_RUNS, told
    runs = max(x.runs for x in found) - max(x.runs for x in early)
    lines = max(x.lines for x in found) - max(x.lines for x in early)
    may_grow = BYTES_OF_A_LEDGER_ROW * published + BYTES_OF_A_RUN * runs + BYTES_OF_A_LINE * lines
    grown = max(x.state_bytes for x in late) - max(x.state_bytes for x in early)
    assert grown <= may_grow + SLACK_BYTES, told
