"""The boot clock: it goes on, and all processes of one boot read the same."""

import subprocess
import sys

from janitor.state.clocks import boot_clock, boot_id, era

READ = "from janitor.state.clocks import *; print(boot_clock(), era(), boot_id())"


def test_all_processes_of_one_boot_share_the_clock() -> None:
    # Given two readings in this process. Another process reads between them.
    # What it reads lies between them too, and it names the same boot.
    assert boot_id(), "this machine names no boot"
    before = boot_clock()
    read = subprocess.run([sys.executable, "-c", READ], capture_output=True, text=True, check=True).stdout
    after = boot_clock()
    clock, *names = read.split()
    assert before < float(clock) < after
    assert names == [era(), boot_id()] and era() == boot_id()


def test_the_clock_never_goes_back() -> None:
    readings = [boot_clock() for _ in range(1_000)]
    assert readings == sorted(readings) and readings[0] > 0
