import pytest
import torch

from gansearch.gan import Task, TaskError, available_tasks, load_task, register_task
from gansearch.gan.registry import name_elsewhere
from gansearch.gan.tasks import BUILT_IN


@pytest.mark.parametrize(
    ("spec", "options", "part"),
    [
        ("digit", {}, 'did you mean "digits"'),
        ("ring", {"radus": 2}, 'did you mean "radius"'),
        ("ring", {"std": -1}, "std: must be above 0"),
        ("ring", {"width": 0.5}, r"task_options.width: must be a whole number, not 0\.5"),
        ("ring", {"std": "wide"}, "task_options.std: must be a number, not 'wide'"),
        ("ring", {"std": True}, "task_options.std: must be a number, not True"),
        ("images", {"path": 3}, "task_options.path: must be text, not 3"),
        ("points", {"shape": "ring", "standardise": "maybe"}, "standardise: must be true or false, not 'maybe'"),
        ("no_such_module:Task", {}, "no module no_such_module"),
        ("gansearch.gan:Trainer", {}, "not a class derived"),
        ("./nothing.py:Task", {}, "there is no file"),
    ],
)
def test_what_is_wrong_is_named(spec, options, part):
    with pytest.raises(TaskError, match=part):
        load_task(spec, options)


def test_a_registered_task_is_found_by_name(monkeypatch):
    monkeypatch.setattr("gansearch.gan.registry._TASKS", dict(BUILT_IN))  # later tests see those of the package alone

    class Small(Task):
        """Small, for a test."""

    register_task("small-for-test")(Small)
    assert available_tasks()["small-for-test"] == "Small, for a test."
    assert isinstance(load_task("small-for-test"), Small)
    assert name_elsewhere("small-for-test") == f"{__file__}:{Small.__qualname__}"
    assert name_elsewhere("ring") == name_elsewhere("no-such-task") == ""
    with pytest.raises(TaskError, match="already"):
        register_task("ring")(Small)


def test_a_class_whose_file_sets_torchs_defaults_leaves_them_and_is_told_of_it(tmp_path, caplog):
    code = "import torch, gansearch\ntorch.set_default_dtype(torch.float64)\ntorch.set_default_device('meta')\n"
    (tmp_path / "double.py").write_text(f"{code}class Mine(gansearch.Task): pass\n\ndef train(trial): pass\n")
    try:
        load_task(f"{tmp_path}/double.py:Mine")
        assert (torch.get_default_dtype(), torch.get_default_device()) == (torch.float32, torch.device("cpu"))
        assert "torch's default type to torch.float64" in caplog.text
        assert "torch's default device to meta" in caplog.text
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
