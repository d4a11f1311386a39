"""The size of a made-up lab, and its awkward rows."""

from collections import Counter

import pytest

from janitor.demo import lab_rows
from janitor.demo.lab_rows import Lab
from tests.fixtures import NOW


def test_each_run_shares_samples_with_the_next() -> None:
    lab = Lab(labwares=10, runs=3, seed=1, now=NOW, products=8)
    held = [{lab.sample(run, product) for product in range(8)} for run in (1, 2, 3)]
    assert [len(samples) for samples in held] == [8, 8, 8]
    assert [len(one & other) for one, other in zip(held, held[1:], strict=False)] == [2, 2]
    assert set().union(*held) == set(range(1, lab.samples + 1)) and lab.samples == 20
    assert Lab(labwares=10, runs=0, seed=1, now=NOW).samples == 0


def test_a_run_with_two_lanes_has_each_sample_twice() -> None:
    lab = Lab(labwares=10, runs=4, seed=1, now=NOW, products=8)
    assert [lab_rows.lanes(run) for run in range(1, 5)] == [1, 1, 1, 2]
    assert set(Counter(lab.sample(4, product) for product in range(8)).values()) == {2}


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "2026-06-01 12:00:00"), (0.5, "2026-06-16 12:00:00"), (1.0, str(NOW)[:19])]
)
def test_a_share_of_the_days_is_a_moment(share: float, text: str) -> None:
    assert Lab(labwares=1, runs=0, seed=1, now=NOW, days=30.0).at(share) == text


def test_a_uuid_is_the_same_for_the_same_thing_alone() -> None:
    made = [lab_rows.uuid_text(seed, kind, number) for seed in (1, 2) for kind in (1, 2) for number in range(3000)]
    assert len(set(made)) == len(made) and {len(text) for text in made} == {36}
    assert lab_rows.uuid_text(2, 1, 77) in made
    assert len(lab_rows.uuid_bytes(made[0])) == 16 and lab_rows.uuid_bytes(made[0]).hex() == made[0].replace("-", "")


def test_a_labware_without_audit_was_never_scanned() -> None:
    scans = [lab_rows.audits_of(labware) for labware in range(1, 2111)]
    assert 2.9 < sum(scans) / len(scans) < 3.1
    assert [labware for labware, count in enumerate(scans, 1) if not count] == list(range(5, 2111, 211))
