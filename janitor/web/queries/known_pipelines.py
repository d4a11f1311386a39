"""Pipelines that are there, or of which anything is kept."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from janitor.items.pipeline import Pipeline
from janitor.items.pipelines import pipelines_of
from janitor.jobs.job import Job
from janitor.state import item_plans
from janitor.state.item_plans import Plan


@dataclass(frozen=True)
class KnownPipeline:
    """A pipeline by its plan; `whole` is None if this daemon does not have it."""

    plan: Plan
    whole: Pipeline | None

    @property
    def name(self) -> str:
        """Its name."""
        return self.plan.pipeline


def all_pipelines(connection: Connection, all_jobs: Mapping[str, Job]) -> list[KnownPipeline]:
    """Those that are here in the order of their jobs, then those that are gone by name."""
    here = pipelines_of(all_jobs)
    plans = [item_plans.load(connection, name) for name in item_plans.names(connection) if name not in here]
    there = [KnownPipeline(whole.plan, whole) for whole in here.values()]
    return [*there, *(KnownPipeline(plan, None) for plan in plans if plan is not None)]


def known(connection: Connection, all_jobs: Mapping[str, Job], name: str) -> KnownPipeline | None:
    """A pipeline that is here, or that the state database knows; None if there is no such pipeline."""
    whole = pipelines_of(all_jobs).get(name)
    plan = item_plans.load(connection, name) if whole is None else whole.plan
    return None if plan is None else KnownPipeline(plan, whole)
