"""What people do to jobs and runs, recorded with who did it."""
