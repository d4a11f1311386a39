"""The demo: the real daemon on three SQLite warehouses, and a lab that keeps changing them.

__main__.py    the command line, and the lock on the demo's folder
demo.py        lets the lab work, shows what happens, lets the daemon catch up
place.py       the folder: its databases, its messages, the daemon's settings
daemon.py      starts `run.py` as a process, and stops it
lab.py         the lab at work: storage_deeds.py scans labware, sequencing_deeds.py runs samples (new_run.py)
watch.py       what Janitor has done;  truth.py: what it ought to have done;  summary.py compares them
outage.py      the broker that goes away, and comes back when inbox.py has received a notice of it
warehouses.py  fills the warehouses with lab_rows.py, storage_rows.py and sequencing_rows.py
"""
