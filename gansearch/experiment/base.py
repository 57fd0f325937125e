"""The base class of the sections of an experiment file."""

from pydantic import BaseModel, ConfigDict

Plain = bool | int | float | str | None | list[float]
"""A value that YAML writes without nesting, but for a list of numbers."""


class Model(BaseModel):
    """A section of the file: frozen, without unknown fields, its fields' docstrings in the schema."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False, validate_default=False
    )
