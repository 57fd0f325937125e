from pathlib import Path

import pytest

from gansearch.experiment import Experiment, ExperimentError, ScriptTask, load_yaml

SEARCH = {"lr_d": {"low": 1e-5, "high": 1e-2, "log": True}}


def task(**fields):
    return ScriptTask.model_validate({"command": "python train.py", **fields})


def refused(**fields):
    given = {"command": "python train.py --lr={lr_d}", **fields}
    with pytest.raises(ExperimentError) as caught:
        Experiment.parse({"name": "one", "task": given, "search": SEARCH})
    return caught.value.errors


def test_a_text_is_split_into_words_once():
    words = task(command="python train.py --name='two words' --set \"a b\" --x={lr_d} \\\n --re=a\\|b '|' ${oc.env:X}")
    assert words.command == [
        *("python", "train.py", "--name=two words", "--set", "a b", "--x={lr_d}", "--re=a|b", "|", "${oc.env:X}")
    ]
    assert task(command=["python", "a b.py", "$HOME | x", 3]).command == ["python", "a b.py", "$HOME | x", "3"]


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("python train.py > log", "would read the >"),
        ("python train.py | tee log", "would read the |"),
        ("python a.py && python b.py", "would read the &&"),
        ("python a.py; ls", "would read the ;"),
        ("python a.py &", "would read the &"),
        ("python a.py `date`", "would read the `"),
        ("python a.py $(date)", "would read the $("),
        ("python a.py --data $DATA", "give it under env:"),
        ('python a.py --data "$DATA/x"', "give it under env:"),
        ("python a.py ~/data", "write the whole path"),
        ("CUDA_VISIBLE_DEVICES=0 python a.py", "would read the CUDA_VISIBLE_DEVICES=0"),
        ("python 'a.py", "no closing quotation"),
        ("", "at least one word"),
        ([], "at least one word"),
        ("python a.ipynb", "jupyter nbconvert --to script a.ipynb"),
        ("python a.py {x", "write {{ for a brace"),
        (["python", "a\0b"], "zero byte"),
    ],
)
def test_what_only_a_shell_would_read_is_refused_with_what_to_do(command, part):
    assert part in refused(command=command)["task.command"]


@pytest.mark.parametrize(
    ("fields", "path", "part"),
    [
        ({"comand": "x"}, "task.comand", 'did you mean "command"'),
        ({"stop_signal": "SIGKILL"}, "task.stop_signal", "SIGTERM, SIGINT"),
        ({"cwd": "there"}, "task.cwd", "copy, here"),
        ({"loss": "bec"}, "task.loss", 'did you mean "bce"'),
        ({"limit_seconds": 0}, "task.limit_seconds", "greater than 0"),
        ({"files": {"a.yaml": {"form": "b.yaml"}}}, "task.files.a.yaml.form", 'did you mean "from"'),
        ({"distance": {"comand": "x"}}, "task.distance.comand", 'did you mean "command"'),
        ({"distance": {"command": "a | b"}}, "task.distance.command", "would read the |"),
        ({"edits": {"train.py": 1}}, "task.edits", "write FILE.py: NAME"),
        ({"env": {"A-B": 1}}, "task.env", "of letters, digits and _"),
        ({"env": {"A": [1, "b"]}}, "task.env.A", "numbers only"),
        (
            {"edits": {"a.py: x": {"lr_d": None}}},
            "task.edits.a.py: x",
            'in quotes it is a value of the trial: "{lr_d}"',
        ),
        ({"command": ["a", {"lr_d": None}]}, "task.command", 'in quotes it is a value of the trial: "{lr_d}"'),
        ({"files": {"a.yaml": {"set": {"x": {"lr_d": None}}}}}, "task.files.a.yaml.set.x", "quotes it is a value of"),
        ({"metrics": "{out"}, "task.metrics", "write {{ for a brace"),
        ({"root": "~nobody-of-this-name"}, "task.root", "or a folder above it, not '~nobody-of-this-name'"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_allowed(fields, path, part):
    assert part in refused(**fields)[path]


def test_the_name_and_the_file_of_the_script(tmp_path):
    (tmp_path / "ctgan").mkdir()
    here = {"here": str(tmp_path)}
    assert task(command="python -u src/train.py", **here).script == tmp_path / "src/train.py"
    assert task(command="python -u src/train.py").name == "train.py"
    assert task(command="torchrun --nproc_per_node 2 train.py -m x", **here).script == tmp_path / "train.py"
    assert task(command="python -m ctgan {here}/a.csv", **here).script == tmp_path / "ctgan/__main__.py"
    assert task(command="python -m pwg.bin.train", **here).script == tmp_path / "pwg/bin/train.py"
    assert task(command="./train.sh").script is None
    assert task(command="/opt/bin/run-it").name == "run-it"


def test_what_is_written_loads_as_the_same_task_without_the_secrets_of_env():
    fields = {
        "files": {"run.yaml": {"from": "base.yaml", "set": {"model.lr": "{lr_d}"}}},
        "env": {"WANDB_API_KEY": "abc", "HF_TOKEN": "abc", "KEY_WIDTH": "{lr_d}", "N_KEYS": 3, "MODE": "x"},
        "edits": {"train.py: optimizerD.lr": "{lr_d}", "train.py: x": None},
        "distance": {"command": "python d.py {out}"},
    }
    experiment = Experiment.parse({"name": "one", "task": {"command": "python t.py", **fields}, "search": SEARCH})
    assert Experiment.parse(load_yaml(experiment.to_yaml(secrets=True)), base=Path("/")) == experiment
    written = load_yaml(experiment.to_yaml())["task"]
    assert written["env"] == {**fields["env"], "WANDB_API_KEY": "***", "HF_TOKEN": "***"}
    assert written["files"] == fields["files"]
    with pytest.raises(ExperimentError, match=r"task\.env\.HF_TOKEN"):
        Experiment.parse(load_yaml(experiment.to_yaml())).check_secrets()


def test_paths_are_relative_to_the_experiment_and_move_with_the_folder_that_is_sent(tmp_path):
    fields = {"command": "python train.py", "root": "..", "link": ["data", "../../raw"], "patch": "fix.diff"}
    data = {"name": "one", "task": {**fields, "files": {"a.yaml": {"from": "/etc/b.yaml"}}}}
    given = Experiment.parse(data, base=tmp_path / "repo/gan").task
    assert given.here == str(tmp_path / "repo/gan")
    assert given.path("train.py") == tmp_path / "repo/gan/train.py"
    assert given.path("~/x") == Path.home() / "x"
    moved = given.below(tmp_path / "repo")
    assert (moved.here, moved.root, moved.patch) == ("gan", "..", "fix.diff")
    assert moved.link == [str(tmp_path / "repo/gan/data"), str(tmp_path / "raw")]
    assert moved.files["a.yaml"].source == "/etc/b.yaml"
    assert given.below(tmp_path / "elsewhere") == given


def test_one_epoch_is_a_budget_of_a_script_and_one_update_none_of_our_trainer() -> None:
    task = {"command": "python train.py --niter={updates} --lr={lr}"}
    whole = {"name": "x", "task": task, "search": {"lr": {"low": 1e-4, "high": 1e-2}}, "training": {"updates": 1}}
    assert Experiment.parse(whole).training.updates == 1
    with pytest.raises(ExperimentError, match=r"training\.updates: must be 2 or more"):
        Experiment.parse({"name": "x", "task": "ring", "training": {"updates": 1}})
