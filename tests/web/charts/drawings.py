"""What a test reads from a drawing."""

from xml.etree import ElementTree


def drawn(svg: str) -> ElementTree.Element:
    """What was drawn, as XML: whatever is not well-formed fails."""
    return ElementTree.fromstring(svg)


def heights(svg: str, kind: str = "bar") -> list[float]:
    """How high the bars are."""
    return [
        float(one.get("height", "0")) for one in drawn(svg).iter("rect") if kind in (one.get("class") or "").split()
    ]
