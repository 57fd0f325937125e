import pytest

from gansearch.experiment import Experiment, ExperimentError

LR = {"low": 1e-5, "high": 1e-2, "log": True}


def parsed(task=None, **fields):
    given = {"command": "python train.py --lr={lr_d} --outf={out}", **(task or {})}
    return Experiment.parse({"name": "one", "task": given, "search": {"lr_d": LR}, **fields})


def errors(task=None, **fields):
    with pytest.raises(ExperimentError) as caught:
        parsed(task, **fields)
    return caught.value.errors


def test_a_script_is_a_loop_with_names_of_its_own():
    experiment = parsed(training={"updates": 3}, params={"width": 8})
    assert experiment.is_loop
    assert experiment.task_name == "train.py"
    assert experiment.without_value == ["lr_d"]
    assert experiment.training.params == {"lr_d": None, "width": 8}


@pytest.mark.parametrize(
    ("task", "fields", "path", "part"),
    [
        ({"command": "python t.py {lr_g} {lr_d}"}, {}, "task.command", 'did you mean "lr_d"'),
        ({"env": {"X": "{nothing}"}}, {}, "task.env", "neither searched nor in params; known: lr_d, out, seed"),
        ({"files": {"a.yaml": {"set": {"x": "{sed}"}}}}, {}, "task.files", 'did you mean "seed"'),
        ({"distance": {"command": "d {ouz}"}}, {}, "task.distance", 'did you mean "out"'),
        ({"command": "python t.py"}, {}, "search.lr_d", "does not reach the script; write {lr_d}"),
        ({}, {"search": {"lr_d": LR, "port": LR}}, "search.port", "use another"),
        ({}, {"params": {"out": 1}}, "params.out", "use another"),
        ({}, {"task_options": {"a": 1}}, "task_options", "as words of task.command"),
        ({"root": "sub"}, {}, "task.root", "or a folder above it, not 'sub'"),
        ({"files": {"a.ini": {"from": "b.ini"}}}, {}, "task.files.a.ini", "change other files by patch:"),
        ({"cwd": "here", "patch": "fix.diff"}, {}, "task.patch", "there is none"),
        ({"cwd": "here", "files": {"a.yaml": {}}}, {}, "task.files.a.yaml", "write {out}/a.yaml"),
        ({"cwd": "here", "files": {"{out}/a.yaml": {}}}, {}, "task.files.{out}/a.yaml.from", "is missing"),
        ({"cwd": "here", "command": "python t.py {lr_d}"}, {}, "task.cwd", "a folder of its own by {out}"),
        ({}, {"training": {"loss": "hinge"}}, "training.loss", "under params: or search:"),
        ({}, {"resources": {"gpus": 2}}, "resources", "write workers: 1 beside gpus"),
        ({}, {"sampler": "pbt"}, "sampler", "keeps to itself"),
    ],
)
def test_fields_that_do_not_go_together(task, fields, path, part):
    assert part in errors(task, **fields)[path]


def test_a_script_may_have_several_gpus():
    assert parsed(resources={"gpus": 2, "workers": 1}).resources.processes == 1


def test_a_name_that_only_asks_for_others_need_not_reach_the_script():
    search = {"lr_d": {**LR, "when": {"own": True}}, "own": {"choices": [True, False]}}
    assert parsed(search=search).search.keys() == {"lr_d", "own"}
