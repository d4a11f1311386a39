"""Inboxes: where the items of a pipeline come from.

RabbitInbox     a queue of RabbitMQ
SqsInbox        a queue of Amazon SQS
TableInbox      rows of a table that have a stated status
FolderInbox     files that are put into a folder
"""

from janitor.items.inboxes.rabbitmq import RabbitInbox

__all__ = ["RabbitInbox"]
