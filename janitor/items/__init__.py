"""Items: work that comes piece by piece, in pipelines of steps.

add, add_all, New                                     add items, from any task
find, counts, Found                                   which items have which status, and how many
Step, Pipeline                                        what a pipeline is made of
Item, current_item, Failed                            what a step gets, and what it raises to say how an item failed
RabbitInbox, SqsInbox, TableInbox, FolderInbox        where items come from; Reading says how messages are read
SocketReply, RabbitReply, HttpReply, MailReply        who is told what came of them
FolderStore, S3Store                                  where results are kept
Forward                                               a step that hands an item to a compute worker
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from janitor.items.adding import New, add, add_all
from janitor.items.finding import Found, counts, find
from janitor.items.item import Item, current_item
from janitor.items.pipeline import Pipeline
from janitor.items.reading import Reading
from janitor.items.step import Step
from janitor.items.trying import Failed

if TYPE_CHECKING:
    from janitor.items.forward import Forward
    from janitor.items.inboxes.folder import FolderInbox
    from janitor.items.inboxes.rabbitmq import RabbitInbox
    from janitor.items.inboxes.sqs import SqsInbox
    from janitor.items.inboxes.table import TableInbox
    from janitor.items.replies.http import HttpReply
    from janitor.items.replies.mail import MailReply
    from janitor.items.replies.rabbitmq import RabbitReply
    from janitor.items.replies.socket_io import SocketReply
    from janitor.items.stores.folder import FolderStore
    from janitor.items.stores.s3 import S3Store

__all__ = [
    "Failed",
    "FolderInbox",
    "FolderStore",
    "Forward",
    "Found",
    "HttpReply",
    "Item",
    "MailReply",
    "New",
    "Pipeline",
    "RabbitInbox",
    "RabbitReply",
    "Reading",
    "S3Store",
    "SocketReply",
    "SqsInbox",
    "Step",
    "TableInbox",
    "add",
    "add_all",
    "counts",
    "current_item",
    "find",
]

_ENDS = {
    "FolderInbox": "inboxes.folder",
    "FolderStore": "stores.folder",
    "Forward": "forward",
    "HttpReply": "replies.http",
    "MailReply": "replies.mail",
    "RabbitInbox": "inboxes.rabbitmq",
    "RabbitReply": "replies.rabbitmq",
    "S3Store": "stores.s3",
    "SocketReply": "replies.socket_io",
    "SqsInbox": "inboxes.sqs",
    "TableInbox": "inboxes.table",
}
"""Where each end of a pipeline is: a house without inboxes pays for none of them."""


def __getattr__(name: str) -> Any:
    if name not in _ENDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ENDS[name]}"), name)
