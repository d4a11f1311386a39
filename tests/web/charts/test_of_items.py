"""Which charts pipelines and items make, and what each says in words."""

from datetime import datetime, timedelta, timezone
from typing import Any, cast

from janitor.web.charts.of_items import bar_of, open_items, place_of, steps_of
from janitor.web.queries import models
from janitor.web.queries.progress import progress_of
from tests.web.charts.drawings import drawn, heights
from tests.web.charts.graphs import nodes, place

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def count(state: str, status: str, kind: str | None, items: int) -> models.StatusCount:
    """How many items have a status."""
    return models.StatusCount(state=cast(Any, state), status=status, kind=cast(Any, kind), items=items)


def badge(step: str, state: str, status: str = "not processed", kind: str | None = None) -> models.StepBadge:
    """Where an item is at a step."""
    facts: dict[str, Any] = {"state": state, "status": status, "kind": kind}
    return models.StepBadge(step=step, since_at=NOON, tries=0, **facts)


COUNTS = [
    count("waiting", "not processed", None, 10),
    count("failed", "no host", "error", 5),
    count("processing", "processing", None, 2),
    count("done", "processed", "ok", 70),
    count("blocked", "not processed", None, 3),
    count("done", "few & far", "warning", 10),
]


def step(counts: list[models.StatusCount]) -> models.StepLine:
    """A step with these items."""
    return models.StepLine.model_construct(name="match", counts=counts)


def test_a_bar_has_what_has_ended_first_and_leads_to_these_items() -> None:
    svg = bar_of("parcels", step(COUNTS))
    links = list(drawn(svg).iter("a"))
    looks = [(link.get("class") or "").removeprefix("mark-of o-") for link in links]
    assert looks == ["ok", "warning", "error", "blocked", "processing", "waiting"]
    assert links[1].get("href") == "/pipelines/parcels?step=match&state=done&status=few+%26+far#items"
    assert links[3].get("href") == "/pipelines/parcels?step=match&state=blocked#items"
    assert links[1].get("aria-label") == "match: 10 few & far"
    told = "Items at match: 70 processed, 10 few & far, 5 no host, 3 blocked, 2 processing, 10 waiting for other steps"
    assert drawn(svg).get("aria-label") == told
    assert drawn(bar_of("parcels", step([]))).get("aria-label") == "Items at match: none"


def test_what_goes_on_is_looked_for_by_its_state() -> None:
    assert place_of("p", "a", count("left out", "not processed", None, 1)).endswith("?step=a&state=left+out#items")
    assert "status" not in place_of("p", "a", count("processing", "processing", None, 1))


def test_open_items_have_a_column_for_each_part_that_is_known() -> None:
    def moment(at: datetime, number: int) -> models.Moment:
        return models.Moment(at=at, open=number, done=0, failed=0, steps={})

    history = [moment(NOON + 5 * MINUTE, 100), moment(NOON + 59 * MINUTE, 25)]
    svg = open_items("parcels", history, NOON, NOON + HOUR, 6)
    high = heights(svg)
    assert len(high) == 2 and high[0] == 4 * high[1]
    titles = [title.text or "" for title in drawn(svg).iter("title")]
    assert titles[0] == "02 Mar 12:00 to 02 Mar 12:10 UTC: 100 open" and titles[1].endswith("unknown")
    assert "Open items of parcels: 25 at the end, 100 at most" in svg
    texts = [text.text for text in drawn(svg).iter("text")]
    assert texts == ["0", "50", "100", "12:00", "12:15", "12:30", "12:45", "13:00"]


def test_a_year_has_days_below_it_and_nothing_is_known_of_an_empty_time() -> None:
    svg = open_items("parcels", [], NOON, NOON + timedelta(days=400), 4)
    assert heights(svg) == [] and "02 Mar" in svg and "Open items of parcels: 0 at most" in svg


def item_page(*badges: models.StepBadge, **needs: dict[str, str]) -> models.ItemPage:
    """An item at these steps."""
    line = models.ItemLine.model_construct(key="DN1", steps=list(badges), progress=progress_of({}))
    return models.ItemPage.model_construct(item=line, needs=needs)


def test_the_steps_of_an_item_are_a_graph_with_its_statuses() -> None:
    badges = [
        badge("cut", "done", "processed", "ok"),
        badge("match", "failed", "no host", "error"),
        badge("photo", "processing", "processing"),
        badge("send", "blocked"),
    ]
    needs = {"cut": {}, "match": {"cut": "processed"}, "photo": {"cut": "processed", "gone": "processed"}}
    svg = drawn(steps_of("parcels", item_page(*badges, **needs, send={"match": "processed", "photo": "processed"})))
    found = nodes(svg)
    assert [node.get("href") for node in found.values()] == ["#step-cut", "#step-match", "#step-photo", "#step-send"]
    assert [node.get("class") for node in found.values()] == [
        "node o-ok",
        "node o-error",
        "node o-processing going",
        "node o-blocked",
    ]
    assert "no host" in "".join(found["match"].itertext()) and "blocked" in "".join(found["send"].itertext())
    lefts = [place(found[name])[0] for name in ("cut", "match", "photo", "send")]
    assert lefts[0] < lefts[1] == lefts[2] < lefts[3]
    assert svg.get("aria-label") == "The 4 steps of DN1 in parcels, from left to right"
