"""What all models are."""

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """A value that nobody changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Error(Model):
    """What is wrong."""

    error: str = Field(description="One sentence that says what is wrong.", examples=["there is no run 77"])
