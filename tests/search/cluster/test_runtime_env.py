"""What a cluster is sent of the user's code."""

import sys
from pathlib import Path

import pytest

from gansearch.experiment import Experiment
from gansearch.search.cluster import runtime_env
from gansearch.search.cluster.runtime_env import code_for
from gansearch.search.errors import SweepError


@pytest.fixture(autouse=True)
def _no_ray(monkeypatch):
    """Whatever other tests have started."""
    monkeypatch.setattr("ray.is_initialized", lambda: False)


def test_a_built_in_task_needs_gansearch_alone(make_tiny, tmp_path):
    code = code_for(make_tiny(task="ring", task_options={}), tmp_path / "out")
    assert [Path(path).name for path in code.runtime_env["py_modules"]] == ["gansearch"]
    assert "working_dir" not in code.runtime_env
    assert code.experiment.task == "ring"


def test_nothing_is_sent_in_a_ray_that_runs_already(make_tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("ray.is_initialized", lambda: True)
    experiment = make_tiny()
    assert (code_for(experiment).experiment, code_for(experiment).runtime_env) == (experiment, {})


def test_the_folder_of_a_task_file_is_sent_and_paths_are_relative_to_it(make_tiny, mine):
    options = {"path": str(mine / "data.txt"), "width": 3}
    experiment = make_tiny(task=f"{mine}/my_gan.py:Mine", task_options=options)
    code = code_for(experiment, mine / "out")
    assert code.runtime_env["working_dir"] == str(mine)
    assert "/out" in code.runtime_env["excludes"]
    assert code.experiment.task == "my_gan.py:Mine"
    assert code.experiment.task_options == {"path": "data.txt", "width": 3}
    assert experiment.task_options == options
    elsewhere = make_tiny(task=f"{mine}/my_gan.py:Mine", task_options={"path": "/data/all"})
    assert code_for(elsewhere, mine / "out").experiment.task_options == {"path": "/data/all"}


def test_the_working_directory_is_sent_for_a_module_in_it(make_tiny, mine, monkeypatch):
    monkeypatch.chdir(mine)
    monkeypatch.setattr(sys, "path", [*sys.path, str(mine)])
    (mine / "my_module.py").write_text((mine / "my_gan.py").read_text())
    code = code_for(make_tiny(task="my_module:Mine", task_options={}))
    assert code.runtime_env["working_dir"] == str(mine)
    assert code.experiment.task == "my_module:Mine"
    installed = make_tiny(task="gansearch.gan.tasks.mixtures:Ring", task_options={})
    assert "working_dir" not in code_for(installed).runtime_env


def test_a_job_has_its_working_directory_already(make_tiny, mine, monkeypatch):
    monkeypatch.chdir(mine.parent)
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", '{"runtime_env": {"working_dir": "gcs://pkg.zip"}}')
    code = code_for(make_tiny(task=f"{mine}/my_gan.py:Mine", task_options={}), mine / "out")
    assert "working_dir" not in code.runtime_env
    assert code.experiment.task == "mine/my_gan.py:Mine"


def test_a_too_large_folder_is_refused_unless_rayignore_excludes_the_large_file(make_tiny, mine, monkeypatch):
    monkeypatch.setattr(runtime_env, "NODE_PACKAGE_BYTES", 500)
    experiment = make_tiny(task=f"{mine}/my_gan.py:Mine", task_options={})
    with pytest.raises(SweepError, match=r"such as data\.txt.*\.rayignore"):
        code_for(experiment, mine / "out")
    (mine / ".rayignore").write_text("data.txt\n")
    (mine / "results").mkdir()
    (mine / "results" / "large").write_text("0" * 1000)
    assert code_for(experiment, mine / "out").runtime_env["working_dir"] == str(mine)


def test_a_data_set_by_its_name_is_no_file_that_a_node_lacks():
    fields = {"name": "a", "task": "table", "task_options": {"path": "sklearn:wine"}}
    assert Experiment.parse(fields).data_path is None
    fields["task_options"]["path"] = "wine.csv"
    assert Experiment.parse(fields).data_path == str(Path.cwd() / "wine.csv")


def test_the_folder_of_a_script_is_sent_without_its_data_and_its_paths_are_relative_to_it(tmp_path):
    root = tmp_path / "repo"
    (root / "data").mkdir(parents=True)
    (root / "gan").mkdir()
    (root / "gan/train.py").write_text("raise SystemExit")
    task = {"command": "python train.py", "root": "..", "link": ["../data"]}
    code = code_for(Experiment.parse({"name": "one", "task": task}, base=root / "gan"))
    assert code.runtime_env["working_dir"] == str(root)
    assert "/data" in code.runtime_env["excludes"]
    sent = code.experiment.task
    assert (sent.here, sent.root, sent.link) == ("gan", "..", [str(root / "data")])
