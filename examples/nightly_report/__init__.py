"""Each night a report on the day before, as HTML and CSV in a folder and by mail: see `README.md`."""
