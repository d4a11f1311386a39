"""The jobs-file wing: jobs described in YAML, beside the jobs of `run.py`.

    jobs.yaml
      | template.py     Jinja2 renders the file and what it includes
      | line_marks.py   remembers which line of which file each rendered line came from
      v
    text + the place of each line
      | document.py     YAML: each entry's keys and values, with the line of each (entry.py)
      v
    entries
      | keys.py         reads the value of each key (functions.py imports the functions)
      | entries.py      checks each entry by itself
      | loading.py      checks the entries together: ids, dependencies, circles
      v
    all the jobs, or every mistake (mistakes.py)

watching.py does this again whenever a file changes. export.py goes the other way: from jobs to a jobs file.
"""
