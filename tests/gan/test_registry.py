import pytest

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
