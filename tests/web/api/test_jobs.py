"""Jobs: paused and resumed."""

from tests.web.api.served import Api


def test_to_pause_twice_is_to_pause_once(api: Api) -> None:
    for path, expected in (("pause", True), ("pause", False), ("resume", True), ("resume", False)):
        assert api(f"/jobs/fail/{path}", {}) == (200, {"changed": expected})
        job = api("/jobs/fail")[1]["job"]
        assert (job["paused_at"] is not None) == (path == "pause")
        assert (job["next_run_at"] is None) == (path == "pause")
    done = api("/actions?job=fail")[1]["actions"]
    assert [one["action"] for one in done] == ["resumed", "paused"] and len({one["actor"] for one in done}) == 1
