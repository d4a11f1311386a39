"""The steps: each is a plain function of one item. What it returns is the item's status at this step."""

import time

from examples.transients.sky import random_of
from examples.transients.usage import note_use
from janitor import memory
from janitor.items import Item

ARCHIVE = "survey archive"
"""What two steps share: the archive takes so many calls a minute, whoever makes them."""
CALLS_A_MINUTE = 3_000
SLOW_SECONDS = 0.2


def cutout(item: Item) -> None:
    """Get the pictures around a transient from the archive."""
    memory.wait_for_turn(ARCHIVE, CALLS_A_MINUTE)
    note_use(item.key, "cutout")
    item.result = {"filters": random_of(item.key, "filters").randint(1, 6)}


def quality(item: Item) -> str | None:
    """Tell transients that were seen in few filters."""
    return "few filters" if item.results["cutout"]["filters"] == 1 else None


def host_match(item: Item) -> str | None:
    """Find the galaxy that a transient belongs to, in the archive's catalogue."""
    memory.wait_for_turn(ARCHIVE, CALLS_A_MINUTE)
    note_use(item.key, "host_match")
    distance = random_of(item.key, "host").uniform(0, 100)
    if distance > 95:
        return "no host match"
    item.result = {"galaxy": f"NGC {int(distance * 70) + 1}", "distance": round(distance, 2)}
    return None


def redshift(item: Item) -> None:
    """Measure how far away it is, which takes its time."""
    time.sleep(SLOW_SECONDS)
    item.result = {"z": round(item.results["host_match"]["distance"] / 1000, 4)}


def photometry(item: Item) -> None:
    """Measure its brightness in each filter; in a process of its own, as it keeps a processor busy."""
    chance = random_of(item.key, "photometry")
    filters = item.results["cutout"]["filters"]
    item.result = {"magnitudes": [round(chance.gauss(19, 1), 2) for _ in range(filters)]}


def light_curve(item: Item) -> None:
    """Fit a curve to the brightness; for a tenth of all it cannot be done."""
    magnitudes = item.results["photometry"]["magnitudes"]
    if random_of(item.key, "curve").random() < 0.1:
        raise ValueError(f"no curve goes through {magnitudes}")
    item.result = {"peak": min(magnitudes)}


def classify(item: Item) -> None:
    """Tell what it is, from its distance and its light."""
    bright = item.results["light_curve"]["peak"] - 500 * item.results["redshift"]["z"]
    item.result = {"class": "SN Ia" if bright < 0 else "SN II"}


def report(item: Item) -> None:
    """Tell other observatories; switched off until somebody has looked at the classes."""
    note_use(item.key, "report")
