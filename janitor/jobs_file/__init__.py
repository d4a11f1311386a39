"""The jobs-file wing: jobs and pipelines described in YAML, beside those of `run.py`.

    jobs.yaml
      | template.py     Jinja2 renders the file and what it includes
      | line_marks.py   remembers which line of which file each rendered line came from
      v
    text + the place of each line
      | document.py     YAML: each entry's keys and values, with the line of each (entry.py, part.py)
      v
    entries                                    pipelines
      | keys.py         reads the value          | pipelines.py   checks each by itself
      |                 of each key              | steps.py       its steps, and how they fit together
      | functions.py    imports the functions    | objects.py     its inboxes, replies and store, which are objects
      | entries.py      checks each by itself    | schemas.py     what its messages must look like
      v                                          v
    loading.py checks all together: ids, dependencies, circles
      v
    all the jobs, or every mistake (mistakes.py)

watching.py does this again whenever a file changes. export.py goes the other way: from jobs to a jobs file.
"""
