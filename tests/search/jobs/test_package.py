"""What a job is sent, and what its nodes install."""

import zipfile
from importlib.metadata import version

import numpy as np
import pytest

from gansearch.experiment import Experiment, ExperimentError
from gansearch.search.errors import SweepError
from gansearch.search.jobs import package as packing
from gansearch.search.jobs.package import FILE, packages, packed


def test_packages_are_pinned_without_ray_and_torch(mine, monkeypatch):
    (mine / "requirements.txt").write_text("# mine\neinops>=0.8\n")
    pinned = packages(mine)
    assert "einops>=0.8" in pinned
    assert f"optuna=={version('optuna')}" in pinned
    assert not [text for text in pinned if text.startswith(("ray", "torch"))]
    (mine / "requirements.txt").write_text("--index-url http://there\n")
    with pytest.raises(ExperimentError, match="--pip sends packages alone"):
        packages(mine)


def test_the_data_of_a_built_in_task_are_packed_unless_they_are_too_large(mine, monkeypatch):
    data = mine / "numbers"
    data.mkdir()
    np.save(data / "points.npy", np.random.default_rng(0).normal(size=(100, 2)))
    fields = {"name": "a", "task": "points", "task_options": {"path": str(data)}, "training": {"updates": 40}}
    env = packed(Experiment.parse(fields), mine / "folder.zip")
    with zipfile.ZipFile(mine / "folder.zip") as archive:
        assert sorted(archive.namelist()) == [FILE, "numbers/points.npy"]
    assert env["env_vars"] == {"GANSEARCH_FROM": str(mine)}

    fields["task_options"] = {"path": str(data / "points.npy")}
    packed(Experiment.parse(fields), mine / "file.zip")
    with zipfile.ZipFile(mine / "file.zip") as archive:
        assert sorted(archive.namelist()) == [FILE, "points.npy"]

    monkeypatch.setattr(packing, "JOB_PACKAGE_BYTES", 2**20 + 1000)
    env = packed(Experiment.parse(fields), mine / "large.zip")
    with zipfile.ZipFile(mine / "large.zip") as archive:
        assert archive.namelist() == [FILE]
    assert env["env_vars"] == {}


def test_a_package_that_is_too_large_is_refused_before_it_is_sent(mine, monkeypatch):
    monkeypatch.setattr(packing, "JOB_PACKAGE_BYTES", 100)
    with pytest.raises(SweepError, match=rf"task: {mine} holds .* when packed, and the cluster's dashboard takes"):
        packed(Experiment.load("experiment.yaml"), mine / "package.zip")
