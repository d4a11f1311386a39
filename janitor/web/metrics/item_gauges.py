"""Metrics of items, for the pipelines of this daemon: all from counts that the state database keeps.

    pipeline    the pipeline
    job         the job of the step: `pipeline.step`
    state       where items are: waiting, ready, later, processing, done, failed, blocked, left out
    status      by the pipeline's own names
    kind        of a status: ok, warning or error; none for an attempt that counts as no end

Whatever a pipeline may have is there from the start, at 0. A status that it knows no more is `other`: so there are as
many time series as the pipelines have steps and statuses, whatever is on record.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from janitor.items.pipeline import Pipeline
from janitor.items.pipelines import pipelines_of
from janitor.jobs.job import Job
from janitor.jobs.with_work import Paced
from janitor.state import item_letters, item_replies
from janitor.state.item_claims import INTERRUPTED
from janitor.state.item_counts import EVER, OF_INBOXES, OF_ITEMS, OF_REPLIES, Count
from janitor.state.item_plans import lane_of
from janitor.state.item_states import (
    BLOCKED,
    DONE,
    FAILED,
    IN_PROCESS,
    LATER,
    LEFT_OUT,
    NAMES,
    NOT_PROCESSED,
    OPEN,
    PROCESSING,
    READY,
    WAITING,
    name_of_item,
    state_of,
)
from janitor.web.metrics.vitals import ItemSigns

OTHER, NONE = "other", "none"
NOT_ENDED = (WAITING, READY, LATER, BLOCKED, LEFT_OUT)
"""The states with the status `not processed`."""
Values = dict[tuple[str, ...], float]
"""The values of one metric for a pipeline, by its labels after `pipeline`."""
Family = type[GaugeMetricFamily] | type[CounterMetricFamily]


def of_jobs(jobs: Mapping[str, Job], signs: ItemSigns) -> Iterator[Metric]:
    """Every metric of the items of the pipelines that jobs belong to."""
    by_name: dict[str, list[Count]] = defaultdict(list)
    for one in signs.counts:
        by_name[one.pipeline].append(one)
    pipelines = pipelines_of(jobs).values()
    for name, family, text, labels, values in METRICS:
        made: GaugeMetricFamily | CounterMetricFamily = family(name, text, labels=labels)
        for pipeline in pipelines:
            for key, value in values(pipeline, by_name[pipeline.name]).items():
                made.add_metric((pipeline.name, *key), float(value))
        yield made
    yield _oldest(jobs, signs)


def _by_step(pipeline: Pipeline, counts: Sequence[Count]) -> Values:
    places = [
        *((state, NOT_PROCESSED) for state in NOT_ENDED),
        (PROCESSING, IN_PROCESS),
        *((state_of(kind), status) for status, kind in pipeline.kinds.items()),
    ]
    lanes = _lanes(pipeline)
    found: Values = {(lane, NAMES[state], status): 0.0 for lane in lanes.values() for state, status in places}
    for one in counts:
        if one.step in lanes and one.state != EVER:
            status = one.status if (one.state, one.status) in places else OTHER
            key = (lanes[one.step], NAMES[one.state], status)
            found[key] = found.get(key, 0.0) + one.number
    return found


def _claimed(pipeline: Pipeline, counts: Sequence[Count]) -> Values:
    lanes = _lanes(pipeline)
    found: Values = {(lane,): 0.0 for lane in lanes.values()}
    for one in counts:
        if one.step in lanes and one.state == PROCESSING:
            found[(lanes[one.step],)] += one.number
    return found


def _attempts(of_seconds: bool, pipeline: Pipeline, counts: Sequence[Count]) -> Values:
    kinds = {**pipeline.kinds, INTERRUPTED: NONE, NOT_PROCESSED: NONE, OTHER: NONE}
    lanes = _lanes(pipeline)
    found: Values = {
        (lane, status, kind): 0.0 for lane in lanes.values() for status, kind in kinds.items() if status != OTHER
    }
    for one in counts:
        if one.step in lanes and one.state == EVER:
            status = one.status if one.status in kinds else OTHER
            key = (lanes[one.step], status, kinds[status])
            found[key] = found.get(key, 0.0) + (one.seconds if of_seconds else one.number)
    return found


def _items(pipeline: Pipeline, counts: Sequence[Count]) -> Values:
    found: Values = {(name_of_item(state),): 0.0 for state in (OPEN, DONE, FAILED)}
    return _added(found, [(name_of_item(one.state), one.number) for one in counts if one.step == OF_ITEMS])


def _letters(pipeline: Pipeline, counts: Sequence[Count]) -> Values:
    return {(): float(sum(one.number for one in counts if (one.step, one.status) == (OF_INBOXES, item_letters.DEAD)))}


def _replies(pipeline: Pipeline, counts: Sequence[Count]) -> Values:
    found: Values = {(name,): 0.0 for name in item_replies.NAMES}
    return _added(found, [(one.status, one.number) for one in counts if one.step == OF_REPLIES])


def _added(found: Values, numbers: Sequence[tuple[str, int]]) -> Values:
    for name, number in numbers:
        if (name,) in found:
            found[(name,)] += number
    return found


def _lanes(pipeline: Pipeline) -> Mapping[str, str]:
    return {step.name: lane_of(pipeline.name, step.name) for step in pipeline.steps}


def _oldest(jobs: Mapping[str, Job], signs: ItemSigns) -> GaugeMetricFamily:
    text = "For how long the item waits that could be taken and has waited for longest; 0 if none does"
    made = GaugeMetricFamily("janitor_items_oldest_waiting_seconds", text, labels=("pipeline", "job"))
    for job in jobs.values():
        # At a step that only people begin, nothing could be taken.
        if job.work is not None and job.work.kind == "step" and isinstance(job.trigger, Paced):
            waited = signs.read_at - signs.waiting.get(job.id, signs.read_at)
            made.add_metric((job.work.pipeline, job.id), max(0.0, waited.total_seconds()))
    return made


OF_STEP, OF_ATTEMPT = ("pipeline", "job"), ("pipeline", "job", "status", "kind")
METRICS: Sequence[tuple[str, Family, str, Sequence[str], Callable[[Pipeline, Sequence[Count]], Values]]] = (
    (
        "janitor_items",
        GaugeMetricFamily,
        "Items at each step, by where they are",
        (*OF_STEP, "state", "status"),
        _by_step,
    ),
    ("janitor_items_claimed", GaugeMetricFamily, "Items that runs of a step hold", OF_STEP, _claimed),
    (
        "janitor_item_attempts",
        CounterMetricFamily,
        "Tries of steps on items, ever",
        OF_ATTEMPT,
        partial(_attempts, False),
    ),
    (
        "janitor_item_attempt_seconds",
        CounterMetricFamily,
        "How long tries of steps on items took, ever",
        OF_ATTEMPT,
        partial(_attempts, True),
    ),
    ("janitor_pipeline_items", GaugeMetricFamily, "Items: open, done and failed", ("pipeline", "state"), _items),
    (
        "janitor_dead_letters",
        GaugeMetricFamily,
        "Messages that became no items, and are there",
        ("pipeline",),
        _letters,
    ),
    ("janitor_replies", GaugeMetricFamily, "Replies, by what became of them", ("pipeline", "state"), _replies),
)
"""Each metric that comes from counts: its name, kind, text and labels, and its values for a pipeline."""
