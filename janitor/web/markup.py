"""Text that is HTML already, which templates leave as it is."""

from html import escape


class Html(str):
    """A text that is HTML already."""

    def __html__(self) -> "Html":
        """What templates ask for."""
        return self


def filled(pattern: str, *values: object) -> Html:
    """HTML with `{}` where a value belongs; values are escaped, but those that are HTML already."""
    return Html(pattern.format(*(value if isinstance(value, Html) else escape(str(value)) for value in values)))
