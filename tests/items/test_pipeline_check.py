"""What a pipeline cannot work with: all its mistakes are told at once."""

from pathlib import Path
from typing import Any

import pytest

from janitor.errors import BadSetting
from janitor.items import Item, Pipeline, Step
from janitor.items.forward import Forward
from janitor.items.inboxes import FolderInbox
from janitor.items.pipeline_check import check, require
from janitor.items.replies import HttpReply
from janitor.items.stores import FolderStore
from tests.items.house import house
from tests.small_engine import lite_state


def do(item: Item) -> None:
    """Do nothing."""


def two(item: Item, other: int) -> None:
    """Want more than an item."""


def none() -> None:
    """Want no item."""


class End:
    """An inbox, or a way of replying, that does nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    def receive(self) -> None:
        """Nothing."""

    open = receive


URL, STORE = "http://127.0.0.1:4000", FolderStore(Path("/srv/results"))


def odd(value: Any) -> Any:
    """A value of another kind than is wanted."""
    return value


def a_pipeline(*steps: Step, **more: Any) -> Pipeline:
    return Pipeline("p", steps or (Step("a", do),), **more)


@pytest.mark.parametrize(
    ("pipeline", "mistake"),
    [
        (Pipeline("", [Step("a", do)]), "give it a name of up to 63 letters, digits, '_' and '-', the first"),
        (Pipeline("a b", [Step("a", do)]), "give it a name of up to 63 letters, digits, '_' and '-', the first"),
        (Pipeline("p", []), "give it at least one step"),
        (a_pipeline(Step("a", do), Step("a", do)), "two parts are called a"),
        (a_pipeline(inboxes=[End("a")]), "two parts are called a"),
        (a_pipeline(replies=[End("mail"), End("mail")]), "two parts are called mail"),
        (
            a_pipeline(Step("a b", do)),
            "'a b' is no name: give up to 63 letters, digits, '_' and '-', the first a letter",
        ),
        (Pipeline("p" * 64, [Step("a", do)]), "give it a name of up to 63 letters"),
        (Pipeline("p" * 40, [Step("s" * 30, do)]), "has more than 64 characters"),
        (a_pipeline(statuses={"odd": "bad"}), "the status 'odd' is of kind 'bad': give ok, warning or error"),
        (a_pipeline(statuses={"processing": "ok"}), "the status 'processing' is built in"),
        (a_pipeline(statuses={"failed": "ok"}), "the status 'failed' is built in"),
        (a_pipeline(statuses={"x" * 65: "ok"}), "must be a text of up to 64 characters"),
        (a_pipeline(Step("a", do, failed="odd"), statuses={"odd": "ok"}), "failed is 'odd', which is no error"),
        (a_pipeline(Step("a", do, failed="processed")), "failed is 'processed', which is no error"),
        (a_pipeline(Step("a", odd(None))), "give a function, without brackets"),
        (a_pipeline(Step("a", do, retries=-1)), "retries is -1: give a whole number, 0 or more"),
        (a_pipeline(Step("a", do, workers=0)), "workers is 0: give a whole number, 1 or more"),
        (a_pipeline(Step("a", do, workers=True)), "workers is True"),
        (a_pipeline(Step("a", do, timeout=0)), "timeout is 0: give a number of seconds above 0"),
        (a_pipeline(Step("a", do, timeout=float("nan"))), "timeout is nan"),
        (a_pipeline(Step("a", do, isolation=odd("rocket"))), "isolation is 'rocket'"),
        (a_pipeline(Step("a", lambda item: None, isolation="process")), "give one at a module's top level"),
        (a_pipeline(Step("a", do, record=odd("never"))), "record is 'never'"),
        (a_pipeline(Step("a", do, title=odd(7))), "step a: title is 7: give a text"),
        (a_pipeline(Step("a", do, schedule=odd(7))), "step a: schedule is 7: give a text"),
        (a_pipeline(Step("a", do, tags="night")), "step a: tags is 'night': give a list of texts"),
        (a_pipeline(notes=odd(7)), "notes is 7: give a text"),
        (a_pipeline(Step("a", do, failed="")), "failed is '': give a status of up to 64 characters"),
        (a_pipeline(Step("a", do, needs=["b"])), "it needs the step 'b', which is none; the steps are a"),
        (
            a_pipeline(Step("a", do), Step("b", do, needs={"a": "odd"})),
            "it needs a to be 'odd'; the statuses are expired",
        ),
        (
            a_pipeline(Step("a", do, needs=["c"]), Step("b", do, needs=["a"]), Step("c", do, needs=["b"])),
            "these steps need one another in a circle: a, b, c",
        ),
        (a_pipeline(Step("a", do, needs=["a"])), "these steps need one another in a circle: a"),
        (a_pipeline(Step("a", do, needs="b")), "needs is 'b': give a list of steps"),
        (
            a_pipeline(Step("a", Forward(URL, store=STORE)), Step("b", Forward(f"{URL}/b", store=STORE))),
            "the steps a and b keep what they compute in the same store: give each its own",
        ),
        (a_pipeline(on_duplicate="never"), "on_duplicate is 'never': give one of reply, ignore, change, anew"),
        (a_pipeline(Step("a", two)), "step a: its function refuses an item: missing a required argument: 'other'"),
        (a_pipeline(Step("a", none)), "step a: its function refuses an item: too many positional arguments"),
        (a_pipeline(Step("a", Forward(URL, statuses={"E": "odd"}))), "step a: 'odd' is no status of a failure: give"),
        (a_pipeline(Step("a", do, needs=odd(None))), "step a: needs is None: give a list of steps"),
        (Pipeline("p", odd(None)), "steps: give a list of steps"),
        (Pipeline("p", odd(Step("a", do))), "steps: give a list of steps"),
        (Pipeline("p", odd([do])), "steps: give a list of steps"),
        (Pipeline("p", odd({"a": do})), "steps: give a list of steps"),
        (a_pipeline(statuses=["w"]), "statuses is ['w']: give a mapping from status to kind"),
        (a_pipeline(store="var/x"), "store is 'var/x': give FolderStore(...) or S3Store(...)"),
        (a_pipeline(inboxes="desk"), "inboxes is 'desk': give a list"),
        (a_pipeline(inboxes=[HttpReply("r", URL)]), "cannot stand among inboxes: it has no receive"),
        (a_pipeline(replies=[FolderInbox("i", Path("/in"))]), "cannot stand among replies: it has no open"),
        (a_pipeline(keep_days=0), "keep_days is 0: give a number above 0"),
        (a_pipeline(fails_in_a_row=-1), "fails_in_a_row is -1"),
    ],
)
def test_a_mistake_is_told_with_what_would_be_right(pipeline: Pipeline, mistake: str) -> None:
    assert [one for one in check(pipeline) if mistake in one] and len(check(pipeline)) <= 2
    with pytest.raises(BadSetting):
        require(pipeline)


def test_all_mistakes_are_told_at_once() -> None:
    pipeline = a_pipeline(Step("a", do, retries=-1), Step("a", do, needs=["x"]), statuses={"odd": "bad"}, keep_days=-1)
    assert len(check(pipeline)) == 5
    with pytest.raises(BadSetting, match="^pipeline is 'p': .*;.*;.*;.*;"):
        require(pipeline)


def test_a_pipeline_that_can_work_has_no_mistakes() -> None:
    pipeline = a_pipeline(
        Step("last", do, needs={"b": "few filters", "c": "no host"}),
        Step("b", do, needs=["a"], failed="no filters"),
        Step("a", do),
        Step("c", do, failed="no host"),
        statuses={"few filters": "warning", "no host": "error", "processed": "ok"},
        replies=(),
        on_duplicate="anew",
    )
    assert check(pipeline) == [] and require(pipeline) is pipeline
    assert [step.name for step in pipeline.in_order] == ["a", "c", "b", "last"]
    assert pipeline.kinds == {
        "processed": "ok",
        "failed": "error",
        "time limit exceeded": "error",
        "expired": "error",
        "few filters": "warning",
        "no host": "error",
        "no filters": "error",
    }


def test_add_pipeline_tells_the_line_of_the_call(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"needs the step 'x', which is none.*give at least one|needs the step 'x'"):
        with house(lite_state(tmp_path / "s.db"), tmp_path, Step("a", do, needs=["x"])):
            pass
    with pytest.raises(BadSetting, match="it has no option colour: the options are"):
        with house(lite_state(tmp_path / "s.db"), tmp_path, Step("a", do), colour="blue"):
            pass
