"""How many random inputs a property test tries: all of them with --all, a fifth otherwise."""

LEAST = 5
_share = [5]


def try_all() -> None:
    """Try as many as each test states, from now on; decorators ask as the tests are collected."""
    _share[0] = 1


def inputs(number: int) -> int:
    """The `max_examples` of a property test that tries `number` inputs with --all."""
    return max(LEAST, number // _share[0])
