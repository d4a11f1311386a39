"""Talk to RabbitMQ: a bounded connection, exchanges, queues."""
