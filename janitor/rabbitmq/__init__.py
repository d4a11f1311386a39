"""RabbitMQ: one bounded connection, exchanges and queues.

connection       a connection that is driven in the calling thread; `parameters` and `peer` say to where
exchanges        is an exchange there and as it must be? declare it
queue            a reader's own queue
existing_queue   a queue that exists already, read in batches
errors           what pika and the broker report, as one sentence each
loop             pika's loop, turned by hand
pika_private     what reaches into pika
"""
