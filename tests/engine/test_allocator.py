"""The C library's memory: how many arenas a process of many threads has, and what it gives back."""

import ctypes
import subprocess
import sys

import pytest

from janitor.engine.allocator import ARENAS

PROGRAM = """
import ctypes, threading
from janitor.engine.allocator import bound_arenas
if {bounded}:
    assert bound_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
met = threading.Barrier({threads})
def allocate():
    met.wait(30)
    libc.malloc(1000)
    met.wait(30)
threads = [threading.Thread(target=allocate) for _ in range({threads})]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_stats()
"""


def arenas(*, bounded: bool) -> int:
    """How many arenas a process has in which ten threads ask for memory, by the C library's own count."""
    program = PROGRAM.format(bounded=bounded, threads=10)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return sum(line.startswith("Arena ") for line in ended.stderr.splitlines())


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="this C library has no arenas")
def test_threads_share_few_arenas() -> None:
    assert arenas(bounded=False) > ARENAS >= arenas(bounded=True)


def test_it_is_harmless_twice() -> None:
    program = "from janitor.engine.allocator import bound_arenas as b; print(b() is b())"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "True\n"


LARGE = """
import ctypes
from janitor.engine.allocator import bound_arenas
class Mallinfo(ctypes.Structure):
    names = "arena ordblks smblks hblks mapped usmblks fsmblks used free top".split()
    _fields_ = [(name, ctypes.c_size_t) for name in names]
libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Mallinfo
if {bounded}:
    assert bound_arenas()
# glibc takes a large piece that is freed as a sign to have such pieces in the arena from now on.
for _ in range(3):
    piece = bytearray(4_000_000)
    del piece
before = libc.mallinfo2().mapped
piece = bytearray(1_000_000)
print(libc.mallinfo2().mapped - before >= 1_000_000)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="this C library does not tell of its memory")
@pytest.mark.parametrize("bounded", [False, True])
def test_a_large_piece_is_in_no_arena(bounded: bool) -> None:
    program = LARGE.format(bounded=bounded)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == f"{bounded}\n"


FREES = """
import psutil
from janitor.engine.allocator import EVERY_SECONDS, GivingBack
now = [0.0]
duty = GivingBack(lambda: now[0])
pieces = [bytes(1_000) for _ in range(100_000)]
# A piece in use stays above all that is freed: the C library keeps what lies below it.
above = bytes(1_000)
del pieces
held = []
for now[0] in (0.0, EVERY_SECONDS - 1, EVERY_SECONDS, EVERY_SECONDS + 1):
    duty.step()
    held.append(psutil.Process().memory_info().rss // 1_000_000)
print(*held)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library keeps what is free")
def test_what_is_free_goes_back_once_a_minute() -> None:
    ended = subprocess.run([sys.executable, "-c", FREES], capture_output=True, text=True, check=True)
    first, early, after, later = map(int, ended.stdout.split())
    assert first == early and after < early - 50 and abs(later - after) <= 1


NODES = """
import gc, weakref

class Node:
    pass

def nodes(count):
    made = [Node() for _ in range(count)]
    for one in made:
        one.itself = one
    gc.collect()
    return made
"""
"""Makes objects that hold themselves, so that the collector alone frees them."""
SETS_ASIDE = f"""{NODES}
from janitor.engine.allocator import MANY, set_aside

gc.collect()
gc.freeze()
gc.unfreeze()
set_aside()
first = nodes(2 * MANY)
set_aside()
print(gc.get_freeze_count() > 2 * MANY, len(gc.get_objects(generation=2)) < MANY)
some = weakref.ref(first[0])
del first
gc.collect()
kept = some() is not None
few = nodes(MANY // 2)
set_aside()
print(kept, some() is not None)
many = nodes(2 * MANY)
set_aside()
print(some() is None)
"""


FIRST_MINUTE = f"""{NODES}
from janitor.engine.allocator import EVERY_SECONDS, GivingBack

now = [0.0]
duty = GivingBack(lambda: now[0])
counts = []
first = nodes(1_000)
for now[0] in (1.0, 2.0):
    before = gc.get_freeze_count()
    duty.step()
    counts.append(gc.get_freeze_count() - before >= 1_000)
    more = nodes(1_000)
some = weakref.ref(first[0])
del first
gc.collect()
kept = some() is not None
now[0] = EVERY_SECONDS
duty.step()
gc.collect()
gone = some() is None
now[0] += 1.0
before, another = gc.get_freeze_count(), nodes(1_000)
duty.step()
print(counts, kept, gone, gc.get_freeze_count() <= before)
"""


def test_in_its_first_minute_a_daemon_sets_aside_what_it_loads() -> None:
    ended = subprocess.run([sys.executable, "-c", FIRST_MINUTE], capture_output=True, text=True, check=True)
    assert ended.stdout == "[True, True] True True True\n"


def test_the_collector_looks_through_more_at_once() -> None:
    program = """
import gc
from janitor.engine.allocator import NEW, collect_seldom
collect_seldom()
print(gc.get_threshold()[0] == NEW)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "True\n"


def test_what_lives_long_is_set_aside_once_it_is_much() -> None:
    # Given: many objects that live. What happens: they are set aside, and live no more; a few come, then many.
    # What must hold: the collector has only others to look through. Those that are gone are freed when many have come.
    ended = subprocess.run([sys.executable, "-c", SETS_ASIDE], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines() == ["True True", "True True", "True"]
