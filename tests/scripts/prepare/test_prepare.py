import glob
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gansearch.experiment import Experiment
from gansearch.gan.task import TaskError
from gansearch.scripts.errors import ScriptError
from gansearch.scripts.prepare.prepare import prepare

TRAIN = '''"""A GAN."""
import argparse, json, os, sys
parser = argparse.ArgumentParser()
parser.add_argument("--lr_d", type=float, default=1e-4)
parser.add_argument("--amp", type=bool, default=True)
parser.add_argument("--name")
parser.add_argument("--outf", default=".")
opt = parser.parse_args()
os.makedirs(opt.outf, exist_ok=True)
lr = opt.lr_d
n_critic = 5
settings = open("run.yaml").read()
print(json.dumps([opt.lr_d, opt.amp, opt.name, n_critic, settings]))
'''


@pytest.fixture
def here(tmp_path):
    here = tmp_path / "mine"
    (here / "data").mkdir(parents=True)
    (here / "data/x.npy").write_text("data")
    (here / "train.py").write_text(TRAIN)
    (here / "base.yaml").write_text("model: {lr: 1e-4}\n")
    (here / ".env").write_text("SECRET=1")
    return here


def prepared(here, values=None, given=None, **task):
    values = {"lr_d": 2e-05, "amp": False, "name": "two words", **(values or {})}
    fields = {"command": "python train.py --lr_d={lr_d} --amp={amp} --name {name} --outf={out}", **task}
    experiment = Experiment.parse({"name": "one", "task": fields, "params": values}, base=here)
    options = {"folder": here.parent / "run", "seed": 7, "updates": 3, "gpu_ids": [], "port": 1234, "token": "t"}
    return prepare(experiment.task, values, **{**options, "threads": 2, **(given or {})})


def run(made):
    done = subprocess.run(made.words, cwd=made.cwd, env=made.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_fault_of_a_script_is_one_of_its_task():
    assert issubclass(ScriptError, TaskError)


def test_values_reach_the_script_and_the_users_files_stay_as_they_are(here):
    before = contents(here)
    made = prepared(
        here,
        edits={"train.py: n_critic": "{steps}", "train.py: seed": "{seed}"},
        files={"run.yaml": {"from": "base.yaml", "set": {"model.lr": "{lr_d}"}}},
        link=["data"],
        mkdir=["epochs", "{out}/samples"],
        metrics="{out}/log*.txt",
        distance={"command": "python {here}/d.py {out}"},
        values={"steps": 2},
    )
    assert run(made) == '[2e-05, false, "two words", 2, "model: {lr: 2.0e-05}\\n"]\n'
    assert contents(here) == before
    assert made.cwd == here.parent / "run/code"
    assert made.out == here.parent / "run/out"
    assert made.metrics == f"{made.out}/log*.txt"
    assert made.distance_words == [made.words[0], f"{here}/d.py", str(made.out)]
    assert (made.cwd / "epochs").is_dir()
    assert (made.out / "samples").is_dir()
    assert (made.cwd / "data").is_symlink()
    assert not (made.cwd / ".env").exists()
    assert "-n_critic = 5\n+n_critic = 2\n" in made.diff
    assert "+import importlib.util, random; random.seed(7)" in made.diff
    assert "+model: {lr: 2.0e-05}\n" in made.diff


def test_a_patch_comes_before_the_edits(here):
    (here / "fix.diff").write_text(
        "--- a/train.py\n+++ b/train.py\n@@ -11 +11 @@\n-n_critic = 5\n+steps = n_critic = 4\n"
    )
    made = prepared(here, patch="fix.diff", edits={"train.py: steps": "9"})
    assert "+steps = n_critic = 9\n" in made.diff
    assert "fix.diff" not in made.diff


def test_the_code_above_the_script_is_copied_from_the_root_down(here):
    deep = here / "src/gan"
    deep.mkdir(parents=True)
    (deep / "train.py").write_text("import shared; print(open('../../data/x.npy').read(), shared.__file__)")
    (here / "src/shared.py").write_text("")
    made = prepared(deep, root="../..", command="python train.py", given={"folder": here.parent / "deep run"})
    assert made.cwd == here.parent / "deep run/code/src/gan"
    assert run(made) == f"data {here.parent}/deep run/code/src/shared.py\n"


def test_the_environment_is_that_of_this_process_with_what_a_run_has_of_its_own(here, monkeypatch):
    for name in ("RAY_ADDRESS", "RANK", "WORLD_SIZE", "LOCAL_RANK", "MINE", "GONE"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PYTHONPATH", f"{here}/lib{os.pathsep}/other")
    env = {"LR": "{lr_d}", "OUT": "{out}/x", "GONE": None, "WANDB_MODE": "disabled", "NONE": "{none}"}
    given = {"gpu_ids": ["2", "5"], "token": "abc"}
    made = prepared(here, {"none": None}, given, env=env, command="python train.py --g={gpus}/{gpu_ids}/{port}")
    found, code = made.environment, made.cwd
    assert not {"RAY_ADDRESS", "RANK", "WORLD_SIZE", "LOCAL_RANK", "GONE", "NONE"} & found.keys()
    assert (found["MINE"], found["LR"], found["OUT"]) == ("x", "2.0e-05", f"{made.out}/x")
    assert found["PYTHONPATH"].split(os.pathsep) == [str(code), f"{code}/lib", "/other"]
    assert (found["CUDA_VISIBLE_DEVICES"], found["OMP_NUM_THREADS"], found["MASTER_PORT"]) == ("2,5", "2", "1234")
    assert (found["GANSEARCH_TRIAL"], found["PYTHONUNBUFFERED"], found["MPLBACKEND"]) == ("abc", "1", "Agg")
    assert found["WANDB_MODE"] == "disabled"
    assert made.words[-1] == "--g=2,5/0,1/1234"


def test_without_a_gpu_scripts_are_told_so(here):
    made = prepared(here, command="python train.py {gpus} {gpu_ids}")
    assert (made.words[-2:], made.environment["CUDA_VISIBLE_DEVICES"]) == (["-1", "-1"], "")


@pytest.mark.parametrize(
    ("line", "is_made"),
    [
        ("os.makedirs(opt.outf, exist_ok=True)", True),
        ("os.makedirs(opt.outf)", False),
        ("os.mkdir(opt.outf)", False),
        ("try:\n    os.makedirs(opt.outf)\nexcept OSError:\n    pass", True),
        ("if not os.path.exists(opt.outf):\n    os.makedirs(opt.outf)", True),
        ("outf = opt.outf\nif os.path.exists(outf):\n    raise KeyError(outf)", False),
        ("if not os.path.exists(opt.outf):\n    raise KeyError(outf)", True),
        ("os.makedirs(opt.other)", True),
    ],
)
def test_the_output_folder_is_made_unless_the_script_refuses_one_that_is_there(here, line, is_made):
    (here / "train.py").write_text(TRAIN.replace("os.makedirs(opt.outf, exist_ok=True)", line))
    assert prepared(here).out.exists() == is_made


def test_a_run_among_the_users_files(here):
    made = prepared(
        here,
        cwd="here",
        command="python train.py --outf {out} {out}/a.yaml",
        files={"{out}/a.yaml": {"from": "base.yaml"}},
    )
    assert made.cwd == here
    assert (made.out / "a.yaml").read_text() == "model: {lr: 1e-4}\n"
    assert "a.yaml" in made.diff
    assert [path.name for path in (here.parent / "run").iterdir()] == ["out"]


def test_hydra_reads_words_by_its_own_grammar(here):
    (here / "train.py").write_text("import hydra\n@hydra.main(config_path='c')\ndef main(cfg):\n    pass\n")
    made = prepared(here, {"name": "it's"}, command="python train.py name={name} hydra.run.dir={out}")
    assert made.words[2:] == ["name='it\\'s'", f"hydra.run.dir='{made.out}'"]


def test_a_file_that_is_read_only_can_be_edited(here):
    (here / "train.py").chmod(stat.S_IRUSR)
    assert "+n_critic = 1" in prepared(here, edits={"train.py: n_critic": 1}).diff


@pytest.mark.parametrize(
    ("task", "part"),
    [
        ({"command": "python trian.py"}, 'trian.py; did you mean "train.py"?'),
        ({"command": "no-such-program train.py"}, "there is no program 'no-such-program' in PATH"),
        ({"command": "./run.sh"}, "there is no program './run.sh' in"),
        ({"edits": {"train.py: n_critc": 1}}, 'train.py: n_critc: nothing is assigned to it; did you mean "n_critic"?'),
        ({"edits": {"trian.py: n_critic": 1}}, "there is no trian.py in the copy"),
        ({"edits": {"../train.py: n_critic": 1}}, "../train.py is neither in the copy of the code nor in {out}"),
        ({"files": {"/tmp/a.yaml": {"from": "base.yaml"}}}, "/tmp/a.yaml is neither in the copy"),
        ({"files": {"data/a.yaml": {"from": "base.yaml"}}, "link": ["data"]}, "data/a.yaml is neither in the copy"),
        ({"files": {"a.yaml": {}}}, "cannot be read: No such file"),
        ({"mkdir": ["../epochs"]}, "../epochs is neither in the copy"),
        ({"link": ["nothing"]}, "task.link: there is no"),
    ],
)
def test_what_does_not_fit_the_code_is_one_sentence(here, task, part):
    with pytest.raises(ScriptError) as caught:
        prepared(here, **task)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_run_needs_a_new_folder(here):
    prepared(here)
    with pytest.raises(ScriptError, match="is not empty"):
        prepared(here)
    assert (
        sys.executable in prepared(here, given={"folder": here.parent / "2"}, command="python train.py {python}").words
    )


def test_the_pattern_of_metrics_matches_where_the_path_of_the_run_holds_stars_and_brackets(here):
    made = prepared(here, metrics="log*.csv", given={"folder": here.parent / "run [1] *?"})
    (made.cwd / "log1.csv").write_text("")
    assert glob.glob(made.metrics) == [str(made.cwd / "log1.csv")]  # noqa: PTH207


@pytest.mark.parametrize("program", [sys.executable, "./run.sh"])
def test_a_program_may_be_a_path(here, program):
    (here / "run.sh").write_text('#!/bin/sh\nexec python "$@"\n')
    (here / "run.sh").chmod(0o700)
    made = prepared(here, command=f"{program} train.py {{lr_d}} {{amp}} {{name}} {{out}}")
    assert Path(json.loads(json.dumps(made.words))[0]).is_absolute()  # the supervisor gets them as JSON
