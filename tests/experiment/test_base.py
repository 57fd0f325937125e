import pytest
from pydantic import ValidationError

from gansearch.experiment.base import Model


class Section(Model):
    number: float = 1
    """A number."""


def test_a_section_is_frozen_and_closed_and_documented():
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Section(numbr=2)
    with pytest.raises(ValidationError, match="frozen"):
        Section().number = 2
    with pytest.raises(ValidationError, match="finite"):
        Section(number=float("nan"))
    assert Section.model_json_schema()["properties"]["number"]["description"] == "A number."
