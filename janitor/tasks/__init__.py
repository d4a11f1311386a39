"""The tasks: one module or package for each."""
