"""The removable wings: one line for each.

To remove a wing, delete its folder `janitor/<wing>/`, its file here, its verb's file and its file in
`janitor/settings/`. Then delete the lines that name it in this list and in `Settings`. All else works without it.
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
