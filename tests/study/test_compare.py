"""Studies side by side: their names, and the fields in which they differ."""

from types import SimpleNamespace

import pandas as pd

from gansearch.store.folder import Folder
from gansearch.study.compare import compare, differences, labels, table
from gansearch.study.study import load_study
from tests.synthetic import SEARCH, experiment, write_study


def study(path, name="digits", **fields):
    return SimpleNamespace(folder=Folder(path), experiment=experiment(name, **fields))


def test_studies_of_one_name_are_told_apart_by_their_folders(tmp_path):
    one, two, other = study(tmp_path / "a" / "x"), study(tmp_path / "b" / "y"), study(tmp_path / "z", "ring")
    assert labels([one, other]) == ["digits", "ring"]
    assert labels([one, two, other]) == ["digits (x)", "digits (y)", "ring"]
    alike = study(tmp_path / "b" / "x")
    assert labels([one, alike]) == [f"digits ({tmp_path / 'a' / 'x'})", f"digits ({tmp_path / 'b' / 'x'})"]


def test_differences_are_named_by_their_fields(tmp_path):
    search = {**SEARCH, "r1_gamma": 0.1, "lr": {"low": 1e-4, "high": 1e-3, "log": True}}
    one, two = study(tmp_path), study(tmp_path, "other", search=search, training={"updates": 5000, "betas": [0, 0.9]})
    assert differences([one, one]) == {}
    found = differences([one, two])
    assert found["name"] == ["digits", "other"]
    assert found["search.lr.high"] == [1e-2, 1e-3]
    assert found["training.betas"][1] == [0.0, 0.9]
    assert found["search.r1_gamma.choices"] == [[0.0, 0.1, 1.0], None]
    assert found["search.r1_gamma"] == [None, 0.1]
    assert "task" not in found
    assert "search.lr.low" not in found


def test_a_comparison_has_a_row_and_a_line_for_each_study(finished, tmp_path):
    study = load_study(finished.path)
    other = load_study(write_study(tmp_path / "other", trials=12, confirmed=False, replicas=2).path)
    table, figure = study.compare(other)
    assert list(table.index) == ["digits (digits)", "digits (other)"]
    row = table.iloc[0]
    assert study.best is not None
    assert (row["total"], row["balanced"]) == (40, study.verdicts["balanced"])
    assert (row["trial"], row["distance"]) == (study.best.number, study.best.distance)
    assert (row["distance_low"], row["distance_high"]) == study.best.interval
    assert row["lr_ratio"] == study.best.params["lr_ratio"]
    assert not table["fresh"].iloc[1]
    assert "digits (other)" in figure.layout.meta["text"]
    lines = [trace.line.dash for trace in figure.data if trace.xaxis == "x2" and trace.yaxis == "y2"]
    assert lines == ["solid", "6px,2px"]


def test_a_parameter_with_the_name_of_a_column_has_another_one(finished):
    study = load_study(finished.path)
    assert study.choice is not None
    study.choice.params["seeds"] = 77
    row = table([study], ["one"]).iloc[0]
    assert (row["search.seeds"], row["seeds"]) == (77, len(study.groups[0].seeds))
    assert row["lr"] == study.choice.params["lr"]


def test_the_line_of_a_study_goes_on_to_its_last_trial_which_is_not_healthy(tmp_path):
    one = load_study(write_study(tmp_path / "one", trials=12).path)
    one.trials["verdict"] = ["balanced", *["collapsed"] * 3, "balanced", *["collapsed"] * 7]
    one.trials["status"] = "complete"
    one.trials["distance"] = [5.0, 9.0, 9.0, 9.0, 4.0, *[9.0] * 7]
    one.trials["ended"] = one.trials["started"].min() + pd.to_timedelta(range(12), unit="s")
    (line,) = (trace for trace in compare([one]).figure.data if trace.xaxis == "x2" and trace.line.dash)
    updates = one.trials["updates"].cumsum()
    assert (line.x, line.y) == ((updates[0], updates[4], updates[11]), (5.0, 4.0, 4.0))
