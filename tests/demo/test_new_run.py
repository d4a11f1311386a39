"""A run that was just started: its parts arrive one by one, and the truth follows them."""

from datetime import date, timedelta

from janitor.demo import truth
from janitor.demo.lab import SimulatedLab
from janitor.demo.sequencing_deeds import NEW_RUN_SAMPLES
from tests.demo.at_work import work
from tests.fixtures import NOW, Warehouses

ALWAYS = date(2000, 1, 1)


def test_broken_parts_call_for_no_message_yet(lab: SimulatedLab, sqlite_warehouses: Warehouses) -> None:
    moment = NOW
    while "fills in the manifest of run 47003" not in lab.step(moment).words:
        moment += timedelta(seconds=0.4)
    found = truth.messages(sqlite_warehouses.mlwh_url, sqlite_warehouses.events_url, ALWAYS)
    assert len({message[3] for message in found if message[1] == 47003}) == NEW_RUN_SAMPLES - 2


def test_parts_that_come_late_call_for_more_messages(lab: SimulatedLab, sqlite_warehouses: Warehouses) -> None:
    urls = (sqlite_warehouses.mlwh_url, sqlite_warehouses.events_url)
    first = truth.messages(*urls, ALWAYS)
    work(lab, 60)
    new = {message for message in truth.messages(*urls, ALWAYS) - first if message[1] == 47003}
    assert {message[4] for message in new} == {"PL47003"}
    assert {message[6] for message in new} == {None, "/seq/illumina/runs/47/47003"}
