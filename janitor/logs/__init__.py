"""Log lines, what is masked in them, and tracebacks."""
