"""A rival that a user may pick instead: dlt's incremental SQL source with merge, in an environment of its own."""

import functools
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import limits, processes
from benchmarks.house import House
from benchmarks.measures import Rival

VIEW = "latest_locations"
INSTALL_SECONDS, RUN_SECONDS = 300, 600
NAME = "dlt, incremental source with merge"


@dataclass(frozen=True)
class Measured:
    """What it took on a number of labwares: seconds of the first run and of a later run, and MB of memory."""

    labwares: int
    first: float
    later: float
    peak_mb: float


def full_load(house: House) -> Rival:
    """Measure rows a second of its first run."""
    found = measured(house.bounded)
    if isinstance(found, str):
        return Rival(NAME, None, found)
    return Rival(NAME, found.labwares / found.first, f"measured on {found.labwares:,} labwares")


def memory(house: House) -> Rival:
    """Measure its peak memory in MB."""
    found = measured(house.bounded)
    if isinstance(found, str):
        return Rival(NAME, None, found)
    return Rival(NAME, found.peak_mb, f"measured on {found.labwares:,} labwares")


def tick(house: House) -> Rival:
    """Measure the milliseconds of a run with nothing new."""
    found = measured(house.bounded)
    if isinstance(found, str):
        return Rival(NAME, None, found)
    return Rival(NAME, found.later * 1000, f"measured on {found.labwares:,} labwares")


@functools.cache
def measured(house: House) -> Measured | str:
    """Return what it took on these warehouses, or why it could not be measured. It is measured once."""
    view = limits.query(house).replace("labwares.barcode,", "labwares.barcode AS labware_barcode,")
    view = view.replace("users.login,", "users.login AS stored_by,")
    view = view.replace("latest.updated_at", "latest.updated_at AS stored_at")
    house.labwhere(f"CREATE OR REPLACE VIEW {VIEW} AS {view}")
    urls = [house.warehouses.labwhere_url, house.warehouses.mlwh_url]
    script = Path(__file__).with_name("dlt_pipeline.py")
    with tempfile.TemporaryDirectory(prefix="janitor-benchmarks-dlt-") as folder:
        arguments = [*(url.render_as_string(hide_password=False) for url in urls), VIEW, folder]
        try:
            command = [_installed(Path(folder) / "venv"), "-I", str(script), *arguments]
            found = processes.result_of(command, {}, RUN_SECONDS, "dlt")
        except (processes.Failed, subprocess.SubprocessError, OSError) as exc:
            return f"not measured: {' '.join(str(exc).split())[-300:]}"
        finally:
            house.labwhere(f"DROP VIEW {VIEW}")
    return Measured(house.labwares, found["first"], found["later"], found["peak_mb"])


def _installed(folder: Path) -> str:
    """Return an interpreter whose environment has the packages of rivals.txt."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True, timeout=INSTALL_SECONDS)
    python = str(folder / "bin" / "python")
    wanted = Path(__file__).with_name("rivals.txt")
    command = [python, "-m", "pip", "install", "--quiet", "--requirement", str(wanted)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    if ended.returncode:
        reason = next((line for line in ended.stderr.splitlines() if line.startswith("ERROR")), "pip says no")
        raise processes.Failed(f"it could not be installed: {reason}")
    return python
