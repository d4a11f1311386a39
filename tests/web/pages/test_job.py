"""The page of a job."""

from tests.web.pages.furnished import House


def test_a_job_shows_all_that_is_known_of_it(made: House) -> None:
    words = made.operator.get("/jobs/labware_location").words
    for known in (
        "and writes those that differ.",
        "Every 5 minutes",
        "Duration",
        "Rows",
        "Read up to id",
        "its location has no barcode",
        "LABWARE_LOCATION_ENABLED",
    ):
        assert known in words, known
    assert "no daemon was running for 40 minutes" in made.operator.get("/jobs/labware_location?outcome=missed").words
    given_up = made.operator.get("/jobs/labware_location?dropped=true").words
    assert "Note: a test tube of 2019" in given_up and "by anna" in given_up
