"""The facts of the reference, a module for each page: each reads the code and writes Markdown."""
