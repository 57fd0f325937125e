import pytest

from gansearch.experiment import Experiment, ExperimentError, Range, load_yaml
from gansearch.experiment.yaml_file import read_file, set_field

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


def test_set_changes_one_of_two_fields_that_share_an_anchor(tmp_path):
    (tmp_path / "a.yaml").write_text("search: {lr_d: &r {low: 1e-5, high: 1e-2}, lr_g: *r}")
    data, _ = read_file(tmp_path / "a.yaml")
    set_field(data, "search.lr_d.high=1e-3")
    assert data["search"] == {"lr_d": {"low": 1e-5, "high": 1e-3}, "lr_g": {"low": 1e-5, "high": 1e-2}}


def test_a_prefix_without_digits_is_a_text():
    assert load_yaml("[0x_, 0b_, 0o__, 0x_1f, 0b1_0]") == ["0x_", "0b_", "0o__", 31, 2]


def test_exponents_without_a_dot_are_numbers():
    assert load_yaml("[1e-4, -2E+3, 1_0e2, .5e3, 1e, e4]") == [1e-4, -2000.0, 1000.0, 500.0, "1e", "e4"]


def test_numbers_are_those_that_people_mean():
    assert load_yaml("[+1, 6_4, 0x10, 0o10, 0b11, 09, .inf, 5., 0]") == [1, 64, 16, 8, 3, 9, float("inf"), 5.0, 0]
    assert load_yaml("[1:30, 2024-05-01, =, 1:30.5]") == ["1:30", "2024-05-01", "=", "1:30.5"]


def test_a_file_that_windows_wrote_is_read(tmp_path):
    text = EXPERIMENT.replace("\n", "\r\n")
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "a.yaml").write_bytes(text.encode(encoding))
        assert Experiment.load(tmp_path / "a.yaml").search["lr"].low == 1e-4


def test_faults_of_the_text_come_with_those_of_the_fields(errors):
    found = errors("name: a\ntask: ring\ntask: grid\nlimits: {hours: x}\nsearch: {lr: {low: 0,1, high: 2}}\non: 3")
    assert sorted(found) == ["limits.hours", "on", "search.lr.low", "task"]
    assert "twice" in errors("name: a\ntask: ring", "search.lr={low: 1, low: 2}")["search.lr.low"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        ("# nothing", "empty"),
        ("[1, 2]", "not a list; leave out the dashes"),
        ("name:x", "not text; a space follows each colon"),
        ("3", "not 3"),
        ("a: [", "not YAML"),
        ("a:\n\tb: 1", "a tab; indent with spaces"),
        ("a: 1\n---\nb: 2", "an experiment is one document"),
        ("a: !!python/object/apply:os.system [ls]", "tags such as !name are not read"),
        ("a: {{ x }}", "of a template"),
        ("a: @b", "in quotes"),
        ("a: " + "[" * 2000, "nested too deeply"),
        ("a: &a [*a]", "contains itself"),
        ("a: \xe9", "line 1 is not in UTF-8"),
        ("a: [" + "x," * 60_000, "more than 50,000 values"),
        ("a: " + "x" * 1_000_000, "more than 1,000,000 bytes"),
    ],
)
def test_a_file_without_fields_is_an_error(tmp_path, text, part):
    (tmp_path / "a.yaml").write_text(text, encoding="latin-1")
    with pytest.raises(ExperimentError) as caught:
        read_file(tmp_path / "a.yaml")
    assert part in caught.value.errors[""]
