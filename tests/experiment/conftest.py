"""Experiment files that a test writes."""

import textwrap

import pytest

from gansearch.experiment import Experiment, ExperimentError


@pytest.fixture
def load(tmp_path):
    def write(text, *overrides, name="experiment.yaml"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return Experiment.load(path, overrides)

    return write


@pytest.fixture
def errors(load):
    """A function that returns the errors of a text, by path."""

    def errors_of(text, *overrides):
        with pytest.raises(ExperimentError) as caught:
            load(text, *overrides)
        return caught.value.errors

    return errors_of
