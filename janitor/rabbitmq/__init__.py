"""RabbitMQ: one bounded connection, exchanges and queues."""
