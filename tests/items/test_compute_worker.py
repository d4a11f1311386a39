"""A compute worker over real HTTP: what is repeated and what is not, its health, and that all of it is bounded."""

import threading
import time

import pytest

from janitor.errors import Cancelled, DeadlineExceeded, Skip
from janitor.items import compute_worker
from janitor.items.compute_worker import ComputeWorker
from janitor.items.trying import Failed
from janitor.runs import Run, running
from tests.servers import compute, free_port
from tests.servers.compute import HEALTH, Behaviour
from tests.servers.compute import ComputeWorker as Server


def worker_at(server: Server, tries: int = 5, health: str = "") -> ComputeWorker:
    return ComputeWorker(server.url, 5.0, tries, health)


def ask(worker: ComputeWorker, seconds: float = 20.0, most_bytes: int = 1_000_000) -> bytes:
    ends_at = time.monotonic() + seconds
    found = worker.ask("POST", "/work", b"[7]", {"X-A": "b"}, ends_at=ends_at, most_bytes=most_bytes)
    return f"{found.status} ".encode() + found.body


def test_an_answer_comes_whatever_its_status(worker: Server) -> None:
    worker.next = [compute.well, compute.answers(400, {"error": "no"}), compute.answers(429, 1)]
    made = worker_at(worker)
    assert [ask(made) for _ in range(3)] == [b'200 {"computed": [7]}', b'400 {"error": "no"}', b"429 1"]
    first, *_ = worker.requests
    assert (first.method, first.path, first.json, first.headers["x-a"]) == ("POST", "/work", [7], "b")


@pytest.mark.parametrize("status", [502, 503, 504])
def test_what_a_proxy_says_is_tried_again(status: int, worker: Server) -> None:
    worker.next = [compute.answers(status, "later"), compute.answers(status, "later")]
    assert ask(worker_at(worker)) == b'200 {"computed": [7]}'
    assert len(worker.requests) == 3


def test_the_last_try_is_the_answer(worker: Server) -> None:
    worker.next = [compute.answers(503, number) for number in range(5)]
    assert ask(worker_at(worker, tries=2)) == b"503 1" and len(worker.requests) == 2


def test_a_worker_that_starts_late_is_tried_again() -> None:
    server = Server()
    thread = compute.late_start(server, 0.6)
    assert ask(worker_at(server)) == b'200 {"computed": [7]}' and len(server.requests) == 1
    thread.join()
    server.stop()


def test_a_worker_that_is_away_is_told() -> None:
    port = free_port()
    with pytest.raises(
        Failed, match=f"^the compute worker at 127.0.0.1:{port} cannot be asked: .*nothing listens"
    ) as it:
        ask(ComputeWorker(f"http://127.0.0.1:{port}", 5.0, 2))
    assert it.value.code == "unavailable"


@pytest.mark.parametrize(
    ("behave", "says"),
    [
        (compute.die, "it broke off"),
        (compute.half, "its answer broke off in the middle"),
        (compute.half_in_chunks, "its answer broke off in the middle"),
        (compute.answers(200, b"x" * 2_000_000), "its answer has more than 1,000,000 bytes"),
    ],
)
def test_what_may_have_acted_is_not_repeated(behave: Behaviour, says: str, worker: Server) -> None:
    worker.next = [behave]
    with pytest.raises(
        Failed, match=f"^the compute worker at 127.0.0.1:{worker.port} gave no whole answer: {says}"
    ) as it:
        ask(worker_at(worker))
    assert it.value.code == "no answer" and len(worker.requests) == 1


@pytest.mark.parametrize("behave", [compute.hang, compute.drip, compute.drip_headers, compute.slowly(5)])
def test_a_worker_that_takes_too_long_is_told(behave: Behaviour, worker: Server) -> None:
    worker.next = [behave]
    with pytest.raises(
        DeadlineExceeded, match="took longer than its step has: its (whole )?answer did not come in time"
    ):
        ask(worker_at(worker), seconds=2.0)
    assert len(worker.requests) == 1


def test_nothing_is_repeated_without_time_for_it(worker: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    # The pause before the next try is longer than all the time there is.
    monkeypatch.setattr(compute_worker, "FIRST_PAUSE_SECONDS", 30.0)
    worker.next = [compute.answers(503, "later")]
    assert ask(worker_at(worker), seconds=20.0) == b'503 "later"' and len(worker.requests) == 1


@pytest.mark.parametrize("behave", [compute.hang, compute.answers(503, "later")])
def test_a_run_that_is_asked_to_stop_ends_the_wait(behave: Behaviour, worker: Server) -> None:
    run = Run()

    def and_stop(talk: compute.Talk) -> None:
        run.ask_to_stop(Cancelled("a person asked"))
        behave(talk)

    worker.next = [and_stop]
    with running(run), pytest.raises(Cancelled, match="a person asked"):
        ask(worker_at(worker))


@pytest.mark.timeout(30)
def test_a_pause_ends_when_the_run_is_to_stop(worker: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("janitor.items.compute_worker.FIRST_PAUSE_SECONDS", 60.0)
    monkeypatch.setattr("janitor.items.compute_worker.LONGEST_PAUSE_SECONDS", 60.0)
    run = Run()
    worker.next = [compute.answers(503, "later")]
    stop = threading.Timer(0.3, lambda: run.ask_to_stop(Cancelled("a person asked")))
    stop.start()
    with running(run), pytest.raises(Cancelled, match="a person asked"):
        ask(worker_at(worker), seconds=200)
    assert len(worker.requests) == 1


def wait(made: ComputeWorker, seconds: float = 20.0, ends_in: float = 30.0) -> None:
    made.wait_until_healthy(seconds, time.monotonic() + ends_in)


def test_health_is_waited_for_once(worker: Server) -> None:
    # Given: a worker that is not healthy yet. What must hold: it is waited for, and once it is, not asked again.
    made = worker_at(worker, health=HEALTH)
    worker.is_healthy.clear()

    def become_healthy(looks: int) -> None:
        if looks == 3:
            worker.is_healthy.set()

    worker.on_health = become_healthy
    wait(made)
    wait(made)
    assert worker.looks == 3


def test_without_a_path_nobody_is_asked(worker: Server) -> None:
    made = worker_at(worker)
    wait(made)
    with worker.stopped(), pytest.raises(Failed):
        ask(ComputeWorker(worker.url, 5.0, 1))
    wait(made)
    assert worker.looks == 0


@pytest.mark.parametrize(("seconds", "ends_in"), [(0.2, 30.0), (30.0, 0.2), (0.0, 30.0)])
def test_a_worker_that_is_not_healthy_lets_the_item_wait(seconds: float, ends_in: float, worker: Server) -> None:
    worker.is_healthy.clear()
    with pytest.raises(Skip, match=f"^the compute worker at 127.0.0.1:{worker.port} is not healthy: it answered 503$"):
        wait(worker_at(worker, health=HEALTH), seconds, ends_in)
    with worker.stopped(), pytest.raises(Skip, match="is not healthy: it cannot be reached"):
        wait(worker_at(worker, health=HEALTH), seconds, ends_in)


@pytest.mark.parametrize("trouble", ["away", "503"])
def test_health_is_waited_for_again_after_trouble(trouble: str, worker: Server) -> None:
    made = worker_at(worker, tries=1, health=HEALTH)
    wait(made)
    if trouble == "away":
        with worker.stopped(), pytest.raises(Failed):
            ask(made)
    else:
        worker.next = [compute.answers(503, "later")]
        ask(made)
    wait(made)
    ask(made)
    wait(made)
    assert worker.looks == 2


def test_a_path_in_the_address_is_kept(worker: Server) -> None:
    made = ComputeWorker(f"{worker.url}/v0/", 5.0, 1, HEALTH)
    wait(made)
    ask(made)
    assert [asked.path for asked in worker.requests] == [f"/v0{HEALTH}", "/v0/work"]
