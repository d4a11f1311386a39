"""Inboxes: where the items of a pipeline come from.

RabbitInbox     a queue of RabbitMQ
SqsInbox        a queue of Amazon SQS
TableInbox      rows of a table that have a stated status
FolderInbox     files that are put into a folder
"""

from janitor.items.inboxes.folder import FolderInbox
from janitor.items.inboxes.rabbitmq import RabbitInbox
from janitor.items.inboxes.sqs import SqsInbox
from janitor.items.inboxes.table import TableInbox

__all__ = ["FolderInbox", "RabbitInbox", "SqsInbox", "TableInbox"]
