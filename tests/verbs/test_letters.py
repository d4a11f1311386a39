"""The verb `letters`: dead letters are listed, dropped, and taken once more."""

from tests.command_line import USER
from tests.items_house import House


def pushed(parcels: House, *bodies: str) -> list[str]:
    """Push messages that become no items; the ids of all letters, the newest first."""
    (parcels.folder / "many.jsonl").write_text("\n".join(bodies))
    assert parcels("push", "parcels", "many.jsonl", "--inbox", "desk").code == 1
    return [row["letter"] for row in parcels("letters").rows]


def test_letters_are_listed_and_dropped(parcels: House) -> None:
    third, second, first = pushed(parcels, "nonsense", '{"id": "b"}', '{"id": "c", "token": "s3cret"}')
    rows = parcels("letters", "parcels", "--json").json
    assert [(row["key"], row["inbox"], row["is_whole"]) for row in rows][-2:] == [
        ("b", "desk", True),
        (None, "desk", True),
    ]
    assert rows[-1]["message"] == "nonsense" and "s3cret" not in str(rows)
    assert len(parcels("letters", "--limit", "2").rows) == 2 and parcels("letters", "stars").rows == []
    assert parcels("letters", "--drop", first, "--drop", third).out == "2 dead letters are dropped\n"
    assert [row["letter"] for row in parcels("letters").rows] == [second]
    assert parcels("letters", "--drop", "999").err.startswith("janitor: --drop is '999': there is no such dead letter")
    assert parcels("letters", "nope").err.startswith("janitor: pipeline is 'nope': there is no such pipeline")
    newest = parcels("history", "--json").json[0]
    assert (newest["actor"], newest["action"], newest["detail"]) == (USER, "dropped", f"dead letters {first}, {third}")


def test_a_message_is_taken_once_more(parcels: House) -> None:
    [letter] = pushed(parcels, '{"id": "b"}')
    ended = parcels("letters", "parcels", "--again", letter)
    said = f"the message of dead letter {letter} is a dead letter again: its body is null, and an object is wanted\n"
    assert (ended.code, ended.out) == (1, said)
    [row] = parcels("letters").rows
    assert row["letter"] > letter
    assert parcels("letters", "--again", row["letter"]).err.startswith(
        "janitor: PIPELINE is missing: name the pipeline"
    )
    assert parcels("letters", "parcels", "--again", letter).err.startswith(
        f"janitor: --again is '{letter}': parcels has"
    )
