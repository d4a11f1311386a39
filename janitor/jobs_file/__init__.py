"""The jobs-file wing: jobs described in YAML, on the same clock, runs, history and pages as those of `run.py`."""
