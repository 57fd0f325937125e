"""Studies side by side: their names, and the fields in which they differ."""

from types import SimpleNamespace

from gansearch.store.folder import Folder
from gansearch.study.compare import differences, labels
from tests.synthetic import SEARCH, experiment


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
