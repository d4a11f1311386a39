"""Replies: who is told what came of an item, and how.

SocketReply   a browser, by way of Redis and a socket.io server
RabbitReply   the queue that a message names as `reply_to`, or an exchange
HttpReply     a web server
MailReply     people, by mail
"""

from janitor.items.replies.http import HttpReply
from janitor.items.replies.mail import MailReply
from janitor.items.replies.rabbitmq import RabbitReply
from janitor.items.replies.socket_io import SocketReply

__all__ = ["HttpReply", "MailReply", "RabbitReply", "SocketReply"]
