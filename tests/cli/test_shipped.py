"""Starters and shipped experiments."""

from pathlib import Path

import pytest

from gansearch.cli.shipped import STARTERS, experiment_path, shipped_experiments, write_starter
from gansearch.experiment import Experiment, ExperimentError
from gansearch.store.folder import StudyError

ROOT = Path(__file__).parents[2]


def test_every_shipped_experiment_loads_by_its_name():
    shipped = shipped_experiments()
    assert list(shipped) == ["digits", "digits-default", "grid", "ring"]
    for name, description in shipped.items():
        assert description
        assert Experiment.load(experiment_path(name)).folder == name


def test_a_clone_has_shipped_experiments_at_their_former_paths():
    for name in shipped_experiments():
        assert (ROOT / "experiments" / f"{name}.yaml").samefile(experiment_path(name))


def test_a_file_takes_precedence_over_a_shipped_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("ring").write_text("name: mine\ntask: grid\n")
    assert Experiment.load(experiment_path("ring")).name == "mine"
    Path("ring").unlink()
    Path("ring").mkdir()
    assert Experiment.load(experiment_path("ring")).name == "ring"


@pytest.mark.parametrize(
    ("text", "hint"), [("digts", '"digits"'), ("mine", '"mine.yaml"'), ("zzz", "shipped are digits,")]
)
def test_a_wrong_name_suggests_near_ones(tmp_path, monkeypatch, text, hint):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").touch()
    with pytest.raises(ExperimentError, match=hint):
        experiment_path(text)
    for path in (f"{text}.yaml", f"folder/{text}"):
        assert experiment_path(path) == Path(path), "a path is no name"


@pytest.mark.parametrize("name", sorted(STARTERS.keys() - {"script"}))
def test_a_starter_is_written_into_an_empty_folder_alone(tmp_path, name):
    write_starter(tmp_path / "mine", name)
    files = {path.name for path in (tmp_path / "mine").iterdir()}
    assert files == {f"my_{name}.py", "experiment.yaml", "README.md"}
    assert Experiment.load(tmp_path / "mine/experiment.yaml").task.startswith(str(tmp_path / "mine" / f"my_{name}.py"))
    with pytest.raises(StudyError, match="not an empty folder"):
        write_starter(tmp_path / "mine", name)
