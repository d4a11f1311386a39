"""What the dashboard knows, as frozen values: pages show them, and the API gives them as JSON.

Instants are aware and UTC; durations are seconds. A list shows the beginning of a long text; the page of one thing
shows the whole text.
"""

from janitor.web.queries.models.graph import Graph, GraphNode
from janitor.web.queries.models.history import Action, ActionList, Event, History, RunList
from janitor.web.queries.models.items import (
    Flag,
    ItemAttempt,
    ItemLine,
    ItemList,
    ItemPage,
    ItemState,
    LetterLine,
    LetterList,
    ReplyLine,
    StepBadge,
)
from janitor.web.queries.models.jobs import Condition, Cursor, JobLine, JobPage, Point, SettingLine, Status
from janitor.web.queries.models.logs import Level, LogLine, LogLines
from janitor.web.queries.models.model import Error, Model
from janitor.web.queries.models.notices import DeliveryLine, NoticeLine, NoticeList
from janitor.web.queries.models.overview import Hour, Overview, TimelineBar, TimelineRow, TroubleLine
from janitor.web.queries.models.pipelines import (
    Kind,
    Moment,
    PipelineHistory,
    PipelineLine,
    PipelineList,
    PipelinePage,
    Progress,
    Standing,
    StatusCount,
    StepLine,
    StepState,
)
from janitor.web.queries.models.quarantine import QuarantineLine, QuarantineList
from janitor.web.queries.models.runs import AttemptLine, Bar, Going, Origin, OtherRun, Outcome, Part, RunLine, RunPage

__all__ = [
    "Action",
    "ActionList",
    "AttemptLine",
    "Bar",
    "Condition",
    "Cursor",
    "DeliveryLine",
    "Error",
    "Event",
    "Flag",
    "Going",
    "Graph",
    "GraphNode",
    "History",
    "Hour",
    "ItemAttempt",
    "ItemLine",
    "ItemList",
    "ItemPage",
    "ItemState",
    "JobLine",
    "JobPage",
    "Kind",
    "LetterLine",
    "LetterList",
    "Level",
    "LogLine",
    "LogLines",
    "Model",
    "Moment",
    "NoticeLine",
    "NoticeList",
    "Origin",
    "OtherRun",
    "Outcome",
    "Overview",
    "Part",
    "PipelineHistory",
    "PipelineLine",
    "PipelineList",
    "PipelinePage",
    "Point",
    "Progress",
    "QuarantineLine",
    "QuarantineList",
    "ReplyLine",
    "RunLine",
    "RunList",
    "RunPage",
    "SettingLine",
    "Standing",
    "Status",
    "StatusCount",
    "StepBadge",
    "StepLine",
    "StepState",
    "TimelineBar",
    "TimelineRow",
    "TroubleLine",
]
