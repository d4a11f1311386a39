"""From a due slot to a recorded outcome."""
