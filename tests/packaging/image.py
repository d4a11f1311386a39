"""The Dockerfile of the checkout."""

from deploy import dockerfile
from tests.packaging.checkout import read


def stages() -> list[dockerfile.Stage]:
    """Read the stages of the Dockerfile."""
    return dockerfile.parse(read("Dockerfile"))


def last(keyword: str) -> dockerfile.Step:
    """Return the last instruction with this keyword in the last stage."""
    return [step for step in stages()[-1].steps if step.keyword == keyword][-1]
