"""The tasks: a module or a folder for each."""
