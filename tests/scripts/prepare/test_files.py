import json
import tomllib
from datetime import date, time

import pytest
import yaml

from gansearch.experiment import load_yaml
from gansearch.scripts.errors import ScriptError
from gansearch.scripts.prepare.files import settings_text

BASE = """
model: &model {lr: 1e-4, betas: [0.5, 0.9]}
d: *model
g: {<<: *model, name: Adam}
losses:
  - {type: l1, weight: 1}
device: '0'
call: !new:torch.nn.ReLU {inplace: true}
"a.b": {c: 3}
width: 8
octal: 0012
"""


def written(tmp_path, values, text=BASE, name="run.yaml"):
    source = tmp_path / name
    source.write_text(text)
    return settings_text(source, name, values)


def test_values_are_set_by_path_and_stay_numbers(tmp_path):
    values = {"d.lr": 2e-05, "losses[0].weight": 2.0, "device": 1, '"a.b".c': "x: y", "g.lr": 3e-4, "width": "16"}
    text = written(tmp_path, values)
    data = load_yaml(text.replace("!new:torch.nn.ReLU ", "").replace("0012", "12"))
    assert data["d"] == {"lr": 2e-05, "betas": [0.5, 0.9]}
    assert data["g"] == {"lr": 3e-4, "betas": [0.5, 0.9], "name": "Adam"}
    assert data["model"]["lr"] == 1e-4, "an alias of what was set stays as it was"
    assert repr(data["losses"][0]["weight"]) == "2"
    assert data["device"] == "1"
    assert data["a.b"] == {"c": "x: y"}
    assert data["width"] == 16
    assert "2.0e-05" in text


def test_what_is_not_set_stays_as_it_was_written(tmp_path):
    text = written(tmp_path, {"width": 16, "d.lr": None})
    for part in ("1e-4", "device: '0'", "!new:torch.nn.ReLU", "0012"):
        assert part in text


def test_a_number_in_place_of_an_interpolation_is_one(tmp_path):
    text = written(tmp_path, {"lr": 2e-05, "n": 3}, "lr: ${optim.lr}\nn: '${oc.env:N}'\n")
    assert load_yaml(text) == {"lr": 2e-05, "n": 3}


def test_of_a_key_that_comes_twice_the_one_that_counts_is_set(tmp_path):
    assert load_yaml(written(tmp_path, {"lr": 3}, "lr: 1\nlr: 2\n")) == {"lr": 3}


def test_json_and_toml(tmp_path):
    text = written(tmp_path, {"a.lr": 2e-05, "a.t": 4, "+b.c": ["x"]}, '{"a": {"lr": 0.1, "t": "3"}}', "run.json")
    assert json.loads(text) == {"a": {"lr": 2e-05, "t": "4"}, "b": {"c": ["x"]}}
    before = 't = 2020-01-02T03:04:05Z\n[a]\nlr = 1\n"x y" = "\\u007f"\n[[a.l]]\nw = 1.5\n'
    text = written(tmp_path, {"a.lr": 0.5, "a.l[0].w": 4, "+n": 'q"\n'}, before, "run.toml")
    expected = tomllib.loads(before)
    expected["a"].update(lr=0.5, l=[{"w": 4.0}])
    assert tomllib.loads(text) == {**expected, "n": 'q"\n'}
    text = written(tmp_path, {"lr": 0.5}, "t = 07:30:00\nd = 2024-01-31\nlr = 1.0", "run.toml")
    assert tomllib.loads(text) == {"t": time(7, 30), "d": date(2024, 1, 31), "lr": 0.5}


def test_a_path_that_is_added(tmp_path):
    assert yaml.safe_load(written(tmp_path, {"+a.b": True, "+c": 1}, "")) == {"a": {"b": True}, "c": 1}


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("model.rl", "model.rl: run.yaml has no rl, which +model.rl would add; it has lr, betas there"),
        ("modle.lr", 'has no modle, which +modle.lr would add; did you mean "model"?'),
        ("call.x", "it has inplace there"),
        ("+width.x", "has no x: there is a plain value in its place"),
        ("losses[3].weight", "has no 3: there is a list of 1 in its place"),
        ("+losses.x", "has no x: there is a list of 1"),
        ("a..b", "no path 'a..b'"),
    ],
)
def test_a_path_that_leads_nowhere_is_an_error(tmp_path, path, part):
    with pytest.raises(ScriptError) as caught:
        written(tmp_path, {path: 1})
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name", "part"),
    [
        ("a: [", "run.yaml", "run.yaml cannot be read: while parsing"),
        ("a: 1\n---\nb: 2", "run.yaml", "expected a single document"),
        ("{'a': 1}", "run.json", "cannot be read: Expecting property name"),
        ("a = ", "run.toml", "cannot be read: Invalid value"),
    ],
)
def test_a_file_that_is_something_else_is_an_error(tmp_path, text, name, part):
    with pytest.raises(ScriptError, match=r"task\.files\.run\.\w+\.from") as caught:
        written(tmp_path, {}, text, name)
    assert part in str(caught.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ScriptError, match="No such file"):
        settings_text(tmp_path / "none.yaml", "run.yaml", {})
