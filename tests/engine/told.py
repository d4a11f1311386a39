"""An observer in a test: it keeps which slots were lost."""

from janitor.engine.stages import Slot
from janitor.jobs.job import Job
from janitor.runs import Run
from janitor.state.run_records import Ending
from janitor.state.slot_records import LostSlots


class Told:
    """Which slots were lost, in the order in which this observer was told."""

    def __init__(self) -> None:
        """Nothing is told yet."""
        self.slots: list[LostSlots] = []

    def began(self, job: Job, slot: Slot, run: Run) -> None:
        """Nothing: runs that begin are no matter here."""

    def ended(self, job: Job, run: Run, ending: Ending) -> None:
        """Nothing: runs that end are no matter here."""

    def lost(self, lost: LostSlots) -> None:
        """Keep what was lost."""
        self.slots.append(lost)
