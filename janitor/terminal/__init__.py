"""Print for people and for programs."""
