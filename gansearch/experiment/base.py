"""The base class of the sections of an experiment file, and what a plain value is."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, field_validator

from gansearch.experiment.words import is_number


def _plain(value: Any) -> Any:
    """Raises ValueError for a value that is nested, with one message for all types that a plain value may have."""
    if isinstance(value, Mapping):
        raise ValueError(
            "must be a number, a text, true, false, null or a list of numbers, not a mapping; "
            "give it a name that your code looks up"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    if isinstance(value, list | tuple):
        other = [one for one in value if not is_number(one)]
        if other:
            raise ValueError(f"is a list of {type(other[0]).__name__}; a list may hold numbers only")
    return value


Plain = Annotated[bool | int | float | str | list[float] | None, BeforeValidator(_plain)]
"""A value that YAML writes without nesting, but for a list of numbers."""


class Model(BaseModel):
    """A section of the file: frozen, without unknown fields, its fields' docstrings in the schema."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False, validate_default=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _no_switch(cls, value: Any, info: ValidationInfo) -> Any:
        """Raises ValueError for true and false in place of a number, which pydantic takes for 1 and 0."""
        if isinstance(value, bool) and info.field_name in cls.model_fields:
            allowed = types_of(cls.model_fields[info.field_name].annotation)
            if {int, float} & allowed and bool not in allowed:
                raise ValueError("must be a number")
        return value


def types_of(annotation: Any) -> set[Any]:
    """Returns the types that an annotation allows: of unions, of aliases with metadata, and of literals' values."""
    parts = typing.get_args(annotation)
    if not parts:
        return {annotation}
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return {type(part) for part in parts}
    if origin is Annotated:
        return types_of(parts[0])
    if isinstance(origin, type) and origin not in (typing.Union, types.UnionType):
        return {origin}
    return set().union(*map(types_of, parts))
