"""What the process's exit code tells; a run by hand ends with the code of its outcome."""

from janitor.runs import Outcome

SUCCEEDED, FAILED, BAD_INPUT, SKIPPED, TIMED_OUT, CANCELLED, INTERRUPTED = range(7)

OF_OUTCOME = {
    Outcome.SUCCEEDED: SUCCEEDED,
    Outcome.FAILED: FAILED,
    Outcome.SKIPPED: SKIPPED,
    Outcome.MISSED: SKIPPED,
    Outcome.TIMED_OUT: TIMED_OUT,
    Outcome.CANCELLED: CANCELLED,
    Outcome.INTERRUPTED: INTERRUPTED,
}
