"""What every section of an experiment file is made of."""

from pydantic import BaseModel, ConfigDict

Plain = bool | int | float | str | None | list[float]
"""A value as YAML writes it."""


class Model(BaseModel):
    """A section of the file: closed to unknown fields, never changed, its fields' texts in the schema."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False, validate_default=False
    )
