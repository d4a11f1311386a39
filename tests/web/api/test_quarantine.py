"""Quarantined rows."""

from tests.web.api.served import Api


def test_quarantined_rows_are_retried_and_given_up(api: Api) -> None:
    api.ended(api("/jobs/count/run", {})[1]["run"])
    kept = api("/jobs/count/quarantine?limit=1")[1]
    assert (kept["keys"], kept["rows"][0]["key"], kept["next_offset"]) == (2, "DN1", 1)
    assert api("/jobs/count/quarantine/retry", {"key": None}) == (200, {"rows": 2})
    assert api("/jobs/count/quarantine/retry", {"key": "DN7"}) == (200, {"rows": 0})
    wish = {"key": "DN1", "note": "thrown away"}
    assert api("/jobs/count/quarantine/drop", wish) == (200, {"rows": 1})
    assert api("/jobs/count/quarantine/drop", wish) == (200, {"rows": 0})
    [row] = api("/jobs/count/quarantine?dropped=true")[1]["rows"]
    assert (row["key"], row["note"]) == ("DN1", "thrown away")
    page = api("/jobs/count")[1]
    assert (page["job"]["quarantined"], page["dropped"], page["job"]["cursor"]["top"]) == (1, 1, 41)
    assert api("/jobs/count/quarantine/drop", {"key": "DN2", "note": " "})[0] == 422
