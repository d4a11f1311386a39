"""The benchmarks on a small house: the rows are valid, the lines are there, and each rival does the same work."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks import (
    examined,
    full_sync,
    growth,
    labware_tick,
    limits,
    page,
    picture,
    pika_bare,
    reconcile,
    report,
    rival_engineer,
    sequencing_tick,
    servers,
)
from benchmarks.fill import FIRST_RUN, PRODUCTS, Size
from benchmarks.house import House, built
from benchmarks.measures import Line, Rival
from janitor.tasks import labware_location, sequencing_publisher

LABWARES = 2_000


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Give a small house on servers of its own."""
    with servers.started() as running, built(running, LABWARES) as made:
        yield made


def test_the_page_tells_what_was_measured() -> None:
    told = page.PART.search(page.PAGE.read_text(encoding="utf-8"))
    assert told is not None and told.group() == page.table(page.RESULTS)


@pytest.mark.slow
def test_every_filled_row_is_valid_and_whole(house: House) -> None:
    house.begin_anew()
    synced = house.run_alone("labware_location.follow")["counts"]
    assert synced["inserted"] == LABWARES and synced["quarantined"] == synced["without_audit"] == 0
    size = Size(LABWARES)
    assert house.labwhere("SELECT COUNT(*) FROM audits WHERE id <= :filled", filled=3 * LABWARES)[0][0] == 3 * LABWARES
    for name, count in {"iseq_product_metrics": LABWARES, "sample": size.samples}.items():
        assert house.mlwh(f"SELECT COUNT(*) FROM {name}")[0][0] == count
    filled = {"filled": 13 * size.runs}
    per_run = house.mlwh(
        "SELECT COUNT(*) FROM iseq_run_status WHERE id_run_status <= :filled GROUP BY id_run", **filled
    )
    assert [count for (count,) in per_run] == [13] * size.runs


@pytest.mark.slow
def test_every_product_of_a_new_status_is_published(house: House) -> None:
    with house.daemon() as daemon:
        for turn in range(size_runs := LABWARES // PRODUCTS):
            sequencing_tick.set_status(house, turn)
        counts = daemon.counts(sequencing_publisher.follow)
    assert counts["published"] == size_runs * PRODUCTS and counts["without_manifest"] == counts["quarantined"] == 0
    assert len(house.exchange.received()) == size_runs * PRODUCTS
    assert {sequencing_tick.run_of(house, turn) for turn in range(size_runs)} == {
        FIRST_RUN + number for number in range(size_runs)
    }


@pytest.mark.slow
def test_the_rival_writes_the_rows_that_janitor_writes(house: House) -> None:
    house.begin("labware_location")
    urls = house.warehouses.labwhere_url, house.warehouses.mlwh_url
    rival_engineer.make_table(urls[1])
    try:
        assert rival_engineer.sync(*urls, rival_engineer.BEGINNING) == LABWARES
        columns = ", ".join(rival_engineer.COLUMNS)
        rival, ours = (
            house.mlwh(f"SELECT {columns} FROM {table} ORDER BY labware_barcode")
            for table in (rival_engineer.TABLE, "labware_location")
        )
        assert rival == ours
    finally:
        rival_engineer.drop_table(urls[1])


@pytest.mark.slow
def test_the_limit_finds_a_row_that_differs(house: House) -> None:
    house.begin("labware_location")
    assert limits.compare(house) > 0
    house.mlwh("UPDATE labware_location SET stored_by = 'someone' WHERE id = 5")
    with pytest.raises(AssertionError, match="^1 rows of the target differ"):
        limits.compare(house)
    with house.daemon() as daemon:
        assert daemon.counts(labware_location.reconcile)["repaired"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "measure",
    [
        full_sync.measure,
        labware_tick.measure,
        sequencing_tick.measure,
        reconcile.measure,
        examined.measure,
        growth.memory_of,
    ],
)
def test_every_line_has_a_value(house: House, measure: Callable[[House, bool], list[Line]]) -> None:
    lines = measure(house, False)
    assert lines and all(line.value >= 0 and line.unit and (line.met is None) == (not line.goal) for line in lines)
    assert any(line.value > 0 for line in lines)


@pytest.mark.slow
def test_a_bare_window_publishes_every_message(house: House) -> None:
    parameters, bodies = house.servers.broker.parameters, [str(number).encode() for number in range(1_234)]
    assert pika_bare.windowed(parameters, house.exchange.name, bodies, 100) > 0
    assert [one.body for one in house.exchange.received()] == bodies


def test_a_ratio_over_one_means_that_janitor_is_better() -> None:
    assert Line("tick", 2.0, "ms").ratio(Rival("slow", 8.0)) == 4
    assert Line("publishing", 9_000.0, "rows/s").ratio(Rival("slow", 300.0)) == 30
    assert Line("tick", 2.0, "ms").ratio(Rival("not measured", None)) is None


def test_a_curve_that_grows_misses_its_goal() -> None:
    name = "rows examined, labware tick without news"
    points = [Line("a", 3, "rows", curve=name, labwares=10), Line("b", 4, "rows", curve=name, labwares=100)]
    (line,) = growth.measure([*points, Line("c", 1.0, "s", curve="full sync", labwares=10)])
    assert (round(line.value, 3), line.met) == (1.333, False)


def test_the_results_are_kept_as_promised(tmp_path: Path) -> None:
    lines = [
        Line("tick", 2.5, "ms", "<= 5 ms", True, [Rival("slow", 10.0)], "tick", 10),
        Line("tick at more", 3.5, "ms", "<= 5 ms", True, (), "tick", 100),
    ]
    report.write(tmp_path, lines, {"cores": 2})
    kept = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    assert [list(one) for one in kept] == [["name", "value", "unit", "goal", "met", "rivals"]] * 2
    assert kept[0]["rivals"] == [{"name": "slow", "value": 10.0, "ratio": 4.0, "note": ""}]
    for name in ("one.svg", "two.svg"):
        picture.draw(tmp_path / name, report.curves(lines))
    one, two = ((tmp_path / name).read_bytes() for name in ("one.svg", "two.svg"))
    assert one == two and b"<svg" in one
