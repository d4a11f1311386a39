"""Logs: lines, the mask that takes secrets out, and tracebacks."""
