"""A queue worker for analyses: from a message in SQS to a browser. See `README.md`."""
