import pytest

from gansearch.experiment import Experiment, ExperimentError, Range, load_yaml
from gansearch.experiment.yaml_file import read_file

EXPERIMENT = """
name: digits
task: digits
training: {loss: hinge, updates: 4000}
search:
  lr:             {low: 1e-4, high: 1e-2, log: true}
  pretrain_steps: {low: 0, high: 1000}
  r1_gamma:       {choices: [0.0, 1e-1, 1.0]}
  ema:            0.99
"""


def test_a_missing_file_suggests_its_neighbour(tmp_path):
    (tmp_path / "digits.yaml").write_text(EXPERIMENT)
    with pytest.raises(ExperimentError, match=r"no such file; did you mean .*digits\.yaml"):
        Experiment.load(tmp_path / "digit.yaml")


def test_set_overrides_any_field(errors, load):
    experiment = load(EXPERIMENT, "training.updates=2000", "search.lr={low: 1e-5, high: 1e-3}", "trials=3")
    assert (experiment.training.updates, experiment.trials) == (2000, 3)
    assert experiment.search["lr"] == Range(low=1e-5, high=1e-3)
    assert "training.updats" in errors(EXPERIMENT, "training.updats=2")
    assert "KEY=VALUE" in errors(EXPERIMENT, "training.updates")[""]


def test_exponents_without_a_dot_are_numbers():
    assert load_yaml("[1e-4, -2E+3, 1_0e2, 1e, e4]") == [1e-4, -2000.0, 1000.0, "1e", "e4"]


@pytest.mark.parametrize(("text", "part"), [("", "empty"), ("[1, 2]", "not a list"), ("a: [", "not YAML")])
def test_a_file_without_fields_is_an_error(tmp_path, text, part):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ExperimentError) as caught:
        read_file(tmp_path / "a.yaml")
    assert part in caught.value.errors[""]
