"""Addresses: whatever a key is, no browser may take it for another."""

from urllib.parse import unquote, urlsplit

from janitor.web import addresses

KEYS = ("DN1", "a/b", "/", "a//b/", "../x", "ä ?#%&=", "a%2Fb", "..", ".", "\u2028")


def test_every_key_has_an_address_of_its_own() -> None:
    found = [addresses.of_item("parcels", key) for key in KEYS]
    assert len(set(found)) == len(KEYS) and all(path.isascii() and " " not in path for path in found)
    for key, path in zip(KEYS, found, strict=True):
        split = urlsplit(path)
        # A browser takes dots out of a path, also if they are escaped.
        assert not {".", ".."} & set(unquote(part) for part in split.path.split("/"))
        assert unquote(split.path).removeprefix("/pipelines/parcels/items/") == key or "key=" in split.query


def test_only_what_is_asked_for_stands_in_the_query() -> None:
    path = addresses.of_pipeline("parcels", key="a&b", step="", state=None, flagged=False, after=7)
    assert path == "/pipelines/parcels?key=a%26b&after=7"
    assert addresses.of_pipeline("parcels") == "/pipelines/parcels"
    assert addresses.of_letters("parcels") == "/pipelines/parcels/letters"
