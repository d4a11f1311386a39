"""Whether everything that a job needs is there."""
