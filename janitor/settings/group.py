"""A group of settings: one frozen object, read from variables; a bad value is refused by its name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from janitor.errors import BadSetting
from janitor.settings.paths import absolute, holds_path
from janitor.settings.secrets import is_secret

_WHAT_IS_RIGHT = {
    "bool_parsing": "give true or false",
    "finite_number": "give a number",
    "float_parsing": "give a number",
    "greater_than": "give a number over {gt:.15g}",
    "greater_than_equal": "give {ge:.15g} or more",
    "int_from_float": "give a whole number",
    "int_parsing": "give a whole number",
    "int_parsing_size": "give a whole number of fewer digits",
    "less_than": "give a number under {lt:.15g}",
    "less_than_equal": "give {le:.15g} or less",
    "literal_error": "give {expected}",
    "string_too_short": "give a text of {min_length} characters or more",
}
"""What would be right, by the kind of pydantic's error; its own words do for all other kinds."""
BY_KUBERNETES = (
    "Kubernetes sets this in each pod for a service of that name: "
    "set enableServiceLinks: false in the pod's spec, or give the port's number"
)


class SettingsGroup(BaseModel):
    """Settings that belong together: those of a room, of a wing, or of a task.

    Each field is one environment variable: the field's name in upper case. A field has a default and a description,
    which is the comment in `.env.example`. A task declares its settings as a subclass, in a file beside it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True, hide_input_in_errors=True)

    @classmethod
    def variables(cls) -> dict[str, FieldInfo]:
        """Each variable of this group, with its field."""
        return {name.upper(): field for name, field in cls.model_fields.items()}

    def fresh(self, name: str) -> Any:
        """The value of the variable `name`, as it is right for a login now."""
        return getattr(self, name.lower())

    @field_validator("*", mode="before")
    @classmethod
    def _as_it_is_written(cls, value: Any, info: ValidationInfo) -> Any:
        """A text without blanks around it; a word of a list of words, whether it is in capital letters or not."""
        field = cls.model_fields[info.field_name or ""]
        if not isinstance(value, str) or is_secret(field):
            return value
        words = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        return {str(word).lower(): word for word in words}.get(value.strip().lower(), value.strip())

    @field_validator("*", mode="after")
    @classmethod
    def _from_the_folder(cls, value: Any, info: ValidationInfo) -> Any:
        """Paths are absolute."""
        return absolute(value, (info.context or {}).get("folder") or Path.cwd())

    @classmethod
    def read(cls, variables: Mapping[str, Any], prefix: str = "", folder: Path | None = None) -> Self:
        """Make the group from variables that have a value; all others keep their defaults.

        `prefix` is what the name of a variable begins with in an error. Paths begin in `folder`, by default in the
        working folder.

        Raises:
            BadSetting: a value is malformed. The error names the variable and says what would be right.
        """
        given = {name: variables[name.upper()] for name in cls.model_fields if name.upper() in variables}
        # The defaults that are paths become absolute as well.
        paths = {name: field.default for name, field in cls.model_fields.items() if holds_path(field.default)}
        try:
            return cls.model_validate(paths | given, context={"folder": folder})
        except ValidationError as exc:
            raise _refusal(cls, exc, given, prefix) from exc


def _refusal(group: type[SettingsGroup], exc: ValidationError, given: Mapping[str, Any], prefix: str) -> BadSetting:
    """The first mistake as one sentence; the value of a secret is not repeated."""
    error = exc.errors(include_url=False)[0]
    field = str(error["loc"][0])
    shown = "(not shown)" if is_secret(group.model_fields[field]) else given.get(field)
    by_kubernetes = field.endswith("_port") and str(shown).startswith(("tcp://", "udp://", "sctp://"))
    return BadSetting(f"{prefix}{field.upper()}", shown, BY_KUBERNETES if by_kubernetes else _what_is_right(error))


def _what_is_right(error: Mapping[str, Any]) -> str:
    if error["type"] in _WHAT_IS_RIGHT:
        return _WHAT_IS_RIGHT[error["type"]].format_map(error.get("ctx", {})).replace("'", "")
    text = str(error["msg"]).removeprefix("Value error, ")
    return text[0].lower() + text[1:]
