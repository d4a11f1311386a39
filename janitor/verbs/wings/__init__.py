"""The removable wings: one line for each.

A wing goes with its folder `janitor/<wing>/`, its file here, its verb's file, its file in `janitor/settings/`, and the
lines that name it in this list and in `Settings`. Everything else works without it.
"""

from janitor.verbs.wing import Wing
from janitor.verbs.wings.jobs_file import JobsFileWing
from janitor.verbs.wings.notices import NoticesWing
from janitor.verbs.wings.web import WebWing

WINGS: tuple[type[Wing], ...] = (
    NoticesWing,
    WebWing,
    JobsFileWing,
)
