"""Notices: what an operator is told when something is not as it should be, and when it is again."""
