"""The commands as a user calls them: what they print, what they leave, and how they end."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import gansearch
from gansearch.cli.main import app
from gansearch.experiment import Experiment, load_yaml
from gansearch.gan import load_task
from gansearch.store.folder import StudyError
from gansearch.store.record import trial_columns
from gansearch.store.trial_files import CURVE_COLUMNS
from gansearch.study.study import Study
from tests.synthetic import write_study

ROOT = Path(__file__).parents[2]
SHIPPED = ("digits", "digits-default", "grid", "ring")
RING = """
name: ring
task: ring
training: {updates: 80, batch_size: 16}
search: {lr: {low: 1e-3, high: 1e-2, log: true}, pretrain_steps: {low: 0, high: 20}}
trials: 3
confirm: {top: 1, replicas: 2}
"""
FAILING = """
import gansearch, torch
from torch import nn
class D(nn.Linear):
    calls = 0
    def forward(self, x):
        self.calls += 1
        if self.calls > 20:
            raise ValueError("shapes differ")
        return super().forward(x)
class Mine(gansearch.Task):
    latent_dim = 4
    def real(self):
        return torch.randn(500, 2)
    def generator(self):
        return nn.Linear(4, 2)
    def discriminator(self):
        return D(2, 1)
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command in an empty folder that holds ring.yaml; gives (exit status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ring.yaml").write_text(RING)

    def invoke(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gansearch", *words])
        result = CliRunner().invoke(app, [str(word) for word in words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return invoke


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("results") / "digits").path


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (None, "no such file"),
        ("", "empty"),
        ("a: [", "not YAML"),
        ("- a", "not a list"),
        (RING + "tirals: 3", 'did you mean "trials"'),
        (RING.replace("task: ring", "task: rign"), 'did you mean "ring"'),
        (RING.replace("batch_size: 16", "loss: hing"), 'did you mean "hinge"'),
        (RING + "sampler: tp", 'did you mean "tpe"'),
        (RING.replace("low: 1e-3", "low: 1"), "above high"),
        (RING.replace("low: 1e-3", "low: 0"), "log needs low above 0"),
        (RING.replace("trials: 3", "trials: -3"), "-3"),
        (RING.replace("updates: 80", "updates: -80"), "-80"),
        (RING + "task_options: {stdd: 1}", 'did you mean "std"'),
    ],
)
def test_bad_input_ends_in_a_short_message_with_status_2_and_writes_nothing(run, tmp_path, text, part):
    file = tmp_path / "bad.yaml"
    if text is not None:
        file.write_text(text)
    for command in ("sweep", "train", "check"):
        status, out, err = run(command, "bad.yaml")
        assert status == 2
        assert out in ("", "ring: reading the experiment and its data\n")
        assert part in err
        assert len(err.splitlines()) <= 5
        assert "Traceback" not in err
    assert {p.name for p in tmp_path.iterdir()} <= {"bad.yaml", "ring.yaml"}


def test_an_error_in_a_task_file_names_its_line(run, tmp_path):
    (tmp_path / "mine.py").write_text("x = 1\ny = 1 / 0\n")
    (tmp_path / "mine.yaml").write_text(RING.replace("task: ring", "task: ./mine.py:Mine"))
    status, _, err = run("check", "mine.yaml")
    assert status == 2
    assert 'mine.py", line 2' in err
    assert "ZeroDivisionError" in err


@pytest.mark.slow
def test_a_check_estimates_a_sweep_and_writes_nothing(run, tmp_path):
    status, out, err = run("check", "ring.yaml", "--set", "limits.updates=160")
    assert status == 0, err
    for part in ("ring.yaml: fine", "8,000 to train on", "an update of D", "slots:", "2 of 3 trials (the limits)"):
        assert part in out
    status, out, _ = run("check", "ring.yaml", "--json")
    assert status == 0
    found = json.loads(out)
    assert {"device", "seconds", "trial_seconds", "memory", "gpu", "slots", "sweep_seconds", "warnings"} <= set(found)
    assert (found["trials"], found["confirmation_runs"]) == (3, 4)
    assert [p.name for p in tmp_path.iterdir()] == ["ring.yaml"]


def test_init_lists_starters_and_shipped_experiments(run, tmp_path):
    status, out, _ = run("init", "--list")
    assert status == 0
    listed = {line.split()[0] for line in out.splitlines() if line.startswith("  ")}
    assert listed == {"gan", "loop", "script", *SHIPPED}
    assert run("init")[0] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["ring.yaml"]


def test_shipped_experiments_run_by_their_name(run, tmp_path):
    short = ("--set", "training.updates=60", "--set", "search={}")
    status, out, err = run("train", "ring", *short, "--json")
    assert status == 0, err
    assert [seed["seed"] for seed in json.loads(out)["seeds"]] == [20_000]
    status, out, err = run("check", "rign")
    assert (status, out, err) == (2, "", 'error: rign: no such file, and no shipped experiment; did you mean "ring"?\n')


def test_the_version_and_completion(run):
    assert run("--version") == (0, f"gansearch {gansearch.__version__}\n", "")
    assert "--install-completion" in run("--help")[1]


def test_unknown_options_and_commands_have_status_2(run):
    assert run("swep", "ring.yaml")[0] == 2
    assert run("sweep", "ring.yaml", "--trails", "3")[0] == 2
    assert run("export")[0] == 2


def test_a_sweep_writes_the_files_of_the_contract_and_resumes(run, tmp_path, ray_session):
    status, out, err = run("sweep", "ring.yaml")
    assert status == 0, err
    folder = tmp_path / "results" / "ring"
    for name in ("experiment.yaml", "study.journal", "trials.parquet", "curves.parquet", "report.html"):
        assert (folder / name).stat().st_size > 0, name
    assert any((folder / "tensorboard").rglob("events.*"))
    trials = pd.read_parquet(folder / "trials.parquet")
    assert list(trials.columns) == trial_columns(["lr", "pretrain_steps"])
    assert list(pd.read_parquet(folder / "curves.parquet").columns) == list(CURVE_COLUMNS)
    assert trials["number"].tolist() == [0, 1, 2]
    stages = (
        "reading the experiment and its data",
        "starting Ray",
        "3 trials, ",
        "writing the report",
        "3 of 3 trials",
    )
    assert sorted(map(out.rindex, stages)) == [out.rindex(stage) for stage in stages]
    assert "report:     results/ring/report.html" in out

    status, _, err = run("sweep", "ring.yaml")
    assert status == 2
    assert "--resume" in err
    status, out, _ = run("sweep", "ring.yaml", "--resume", "--trials", "4", "--quiet")
    assert status == 0
    assert len(pd.read_parquet(folder / "trials.parquet")) == 4


def test_ctrl_c_while_the_report_is_written(run, tmp_path, monkeypatch):
    write_study(tmp_path / "digits")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Study, "report", interrupt)
    status, _, err = run("sweep", "digits/experiment.yaml", "--out", "digits", "--resume")
    assert status == 130
    assert "\ninterrupted; the sweep is finished, but its report may be missing in digits\n" in err
    assert err.endswith("\ngansearch sweep digits/experiment.yaml --out digits --resume\n")


def test_a_full_disk_is_one_sentence(run, tmp_path, monkeypatch):
    write_study(tmp_path / "digits")
    words = ("sweep", "digits/experiment.yaml", "--out", "digits", "--resume", "--quiet")

    def full(error):
        def write(*_):
            raise error

        return write

    monkeypatch.setattr(Study, "report", full(StudyError("report.html: cannot be written (No space left on device)")))
    status, _, err = run(*words)
    assert status == 1
    assert "error: the sweep is finished, but report.html: cannot be written (No space left on device); --resume" in err
    monkeypatch.setattr("gansearch.search.sweep.repair", full(OSError(28, "No space left on device")))
    status, _, err = run(*words)
    assert status == 1
    assert "error: the sweep stopped: [Errno 28] No space left on device; --resume goes on once that is mended\n" in err
    assert "Traceback" not in err


def test_ctrl_c_while_the_last_tables_are_written(run, monkeypatch, ray_session):
    from gansearch.search import sweep

    monkeypatch.setattr(sweep, "forget", lambda *_: signal.raise_signal(signal.SIGINT))
    status, out, err = run("sweep", "ring.yaml", "--trials", "1", "--set", "confirm=null")
    assert status == 130
    assert "1 of 1 trial, finished" in out
    assert "the sweep is finished, but its report may be missing in results/ring\ngo on with:\n" in err
    assert err.endswith(" --resume\n")
    assert run("report", "results/ring")[0] == 0


def test_a_sweep_whose_trials_all_fail_has_a_report(run, tmp_path, ray_session):
    (tmp_path / "mine.py").write_text(FAILING)
    (tmp_path / "mine.yaml").write_text(RING.replace("task: ring", "task: ./mine.py:Mine"))
    status, out, err = run("sweep", "mine.yaml", "--trials", "2", "--out", "out")
    assert status == 1
    assert "error: every trial failed, 2 of 2 by: ValueError: shapes differ\n" in err
    assert 'mine.py", line 9' in err
    assert err.endswith("all of them are in out; see them with: gansearch report out\n")
    assert (tmp_path / "out" / "report.html").read_text().startswith("<!doctype html>")
    status, out, _ = run("report", "out")
    assert status == 0
    assert out.startswith("2 of 2 trials (2 failed)\n")


@pytest.mark.slow
def test_what_a_users_code_prints_is_not_in_the_json(run, tmp_path):
    (tmp_path / "loop.py").write_text(
        "import os\n\nimport torch\n\nprint('imported')\n\n\ndef train(trial):\n"
        "    for step in range(1, 41):\n        print('step', step)\n        os.system('echo a process')\n"
        "        trial.monitor.update(torch.randn(50), torch.randn(50))\n"
        "        trial.report(step=step, distance=1.0)\n"
    )
    (tmp_path / "loop.yaml").write_text("name: loop\ntask: ./loop.py:train\ntraining: {updates: 40}\nsearch: {}\n")
    for command in ("train", "check"):
        status, out, err = run(command, "loop.yaml", "--json")
        assert status == 0, err
        assert json.loads(out)
        assert "step 4\n" in err


def test_report_and_its_json(run, study):
    status, out, _ = run("report", str(study), "--json")
    assert status == 0
    summary = json.loads(out)
    assert set(summary["trials"]) == {"total", "complete", "pruned", "failed"}
    assert {"verdicts", "best", "importance", "wall_seconds", "train_seconds", "slots"} <= set(summary)
    assert {"number", "params", "stability", "distance", "confirmed"} <= set(summary["best"])
    assert (summary["name"], summary["folder"]) == ("digits", str(study))
    status, out, _ = run("report", str(study), "--json", "--out", "both.html")
    assert (status, json.loads(out)) == (0, summary)
    assert Path("both.html").read_text().startswith("<!doctype html>")
    seeds = summary["default"]
    status, out, _ = run("report", str(study), "--out", "page.html")
    assert status == 0
    assert "page.html" in out
    assert f"default settings: {seeds['healthy']} of 3 balanced, distance {seeds['distance']:.4g}\n" in out
    assert Path("page.html").read_text().startswith("<!doctype html>")


@pytest.mark.slow
def test_several_studies_are_one_page_and_a_json_list(run, study, tmp_path):
    other = shutil.copytree(study, tmp_path / "other")
    status, out, _ = run("report", str(study), "other", "--json")
    assert status == 0
    assert [summary["trials"]["total"] for summary in json.loads(out)] == [40, 40]
    assert [summary["name"] for summary in json.loads(out)] == ["digits (digits)", "digits (other)"]
    assert [summary["folder"] for summary in json.loads(out)] == [str(study), "other"]
    assert not (study / "comparison.html").exists()
    assert run("report", str(study), "other", "--json", "--out", "both.html")[1] == out
    assert Path("both.html").read_text().startswith("<!doctype html>")
    status, out, _ = run("report", "other", str(study))
    assert status == 0
    assert out.count("best-balanced: trial") == 2
    assert "comparison: other/comparison.html" in out
    assert (other / "comparison.html").read_text().startswith("<!doctype html>")
    assert run("report", "other", "nothing")[0] == 2
    status, _, err = run("report", "other", str(study), "./other/")
    assert (status, err) == (2, "error: other: given twice; a study can be compared with others only\n")


@pytest.mark.slow
def test_an_export_trains(run, study, tmp_path):
    assert run("export", str(study), "-o", "best.yaml")[0] == 0
    data = load_yaml(Path("best.yaml").read_text())
    assert {"lr_d", "lr_g", "pretrain_steps", "update_ratio"} <= set(data["training"])
    short = ("--set", "training.updates=60", "--set", "training.pretrain_steps=5")
    status, out, err = run("train", "best.yaml", "--seeds", "2", "--json", "--out", "trained", *short)
    assert status == 0, err
    result = json.loads(out)
    assert [seed["seed"] for seed in result["seeds"]] == [20_000, 20_001]
    assert set(result["seeds"][0]) == {"seed", "stability", "verdict", "distance", "quality"}
    assert {"coverage", "label_kl", "distance"} <= set(result["seeds"][0]["quality"])
    assert np.load(tmp_path / "trained/seed-20000/samples.npy").shape == (2000, 1, 8, 8)
    assert (tmp_path / "trained/seed-20000/samples.png").read_bytes().startswith(b"\x89PNG")
    from safetensors.torch import load_file

    generator = load_task("digits").generator()
    generator.load_state_dict(load_file(tmp_path / "trained/seed-20000/generator.safetensors"))


def test_status_and_its_json(run, study):
    status, out, _ = run("status", str(study))
    assert status == 0
    assert "have ended" in out
    facts = json.loads(run("status", str(study), "--json")[1])
    assert {"state", "driver", "trials", "nodes", "gpus", "expected_end", "best", "stuck", "next"} <= set(facts)


@pytest.mark.parametrize("format", ["json", "python"])
def test_other_formats_are_printed(run, study, format):
    status, out, _ = run("export", str(study), "--format", format)
    assert status == 0
    compile(out, "export", "exec") if format == "python" else json.loads(out)


def test_other_folders_are_neither_read_nor_written(run, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("dear")
    for words in (["report", "other"], ["status", "other"], ["export", "nothing"], ["dashboard", "other"]):
        status, _, err = run(*words)
        assert status == 2
        assert len(err.splitlines()) == 1
    status, _, err = run("sweep", "ring.yaml", "--out", "other")
    assert status == 2
    assert [p.name for p in (tmp_path / "other").iterdir()] == ["thesis.tex"]


def test_a_gpu_that_the_machine_lacks_is_an_error(run, tmp_path, ray_session):
    status, _, err = run("sweep", "ring.yaml", "--set", "resources.gpus=1")
    assert status == 2
    assert re.search(r"GPU", err)
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
def test_init_writes_a_starter_that_passes_check(run, tmp_path):
    assert run("init", "mine")[0] == 0
    assert {p.name for p in (tmp_path / "mine").iterdir()} == {"my_gan.py", "experiment.yaml", "README.md"}
    status, out, err = run("check", "mine/experiment.yaml")
    assert status == 0, err
    assert "fine" in out
    assert err.startswith("runs ./mine/my_gan.py\n")
    assert run("init", "mine")[0] == 2


@pytest.mark.slow
def test_init_writes_a_loop_that_passes_check_and_trains(run, tmp_path):
    assert run("init", "mine", "--from-loop")[0] == 0
    assert {p.name for p in (tmp_path / "mine").iterdir()} == {"my_loop.py", "experiment.yaml", "README.md"}
    status, out, err = run("check", "mine/experiment.yaml")
    assert status == 0, err
    assert "reports at 50, 100, 150, 200" in out
    assert "warning" not in err
    params = "params={g_lr: 1e-3, d_lr: 1e-3, d_steps: 1}"
    short = ("--set", params, "--set", "search={}", "--set", "training.updates=100", "--out", "trained")
    status, out, err = run("train", "mine/experiment.yaml", *short)
    assert status == 0, err
    assert (tmp_path / "trained" / "seed-20000" / "checkpoint" / "last.pt").is_file()


def test_a_folder_with_files_called_like_modules_is_no_trouble(tmp_path):
    for name in ("random", "statistics", "queue", "yaml", "typer", "json"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "gansearch", "schema"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_a_training_raises_has_the_user_s_lines_alone(run, tmp_path):
    (tmp_path / "my_loop.py").write_text("import sys\ndef train(trial):\n    sys.exit(0)\n")
    (tmp_path / "e.yaml").write_text("{name: a, task: './my_loop.py:train', training: {updates: 80}}")
    status, _, err = run("train", "e.yaml")
    assert status == 1
    assert 'my_loop.py", line 3' in err
    assert "SystemExit: 0" in err
    assert "gansearch/" not in err


def test_tasks_and_schema_are_printed(run):
    assert "width, latent_dim, condition" in run("tasks")[1]
    assert set(json.loads(run("tasks", "--json")[1])) >= {"digits", "grid", "ring"}
    assert json.loads(run("schema")[1]) == json.loads((ROOT / "experiments/schema.json").read_text())


@pytest.mark.parametrize("file", sorted((ROOT / "experiments").glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_experiments_load_and_point_to_the_schema(file):
    assert Experiment.load(file).name == file.stem
    assert file.read_text().startswith("# yaml-language-server: $schema=schema.json")


def test_the_readme_names_only_commands_and_files_that_exist():
    text = (ROOT / "README.md").read_text()
    commands = set(re.findall(r"^ *gansearch (\w+)", text, flags=re.M))
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert commands
    assert commands <= known
    for path in re.findall(r"\((docs/[^)]+|experiments/[^)]+|results/reference/[^)]+)\)", text):
        assert (ROOT / path.partition("#")[0]).exists(), path


def test_the_snippet_of_the_readme_runs():
    """The three lines of the monitor in a plain torch loop."""
    text = (ROOT / "README.md").read_text()
    snippet = next(
        block for block in re.findall(r"```python\n(.*?)```", text, flags=re.S) if "StabilityMonitor" in block
    )
    import torch

    scope = {"steps": range(50), "train_step": lambda: (torch.randn(32), torch.randn(32))}
    exec(snippet, scope)
    assert scope["monitor"].report().verdict


def test_export_without_a_healthy_configuration(run, study, tmp_path):
    sick = shutil.copytree(study, tmp_path / "sick")
    (sick / "confirmation.json").unlink(missing_ok=True)
    trials = pd.read_parquet(sick / "trials.parquet")
    trials["verdict"] = "oscillating"
    trials.to_parquet(sick / "trials.parquet", index=False)
    status, _, err = run("export", "sick", "-o", "best.yaml")
    assert status == 1
    assert "closest" in err
    assert not Path("best.yaml").exists()
    summary = json.loads(run("report", "sick", "--json")[1])
    assert summary["best"] is None
    assert {"number", "params", "stability", "distance", "confirmed"} <= set(summary["closest"])
    assert run("export", "sick", "-o", "best.yaml", "--anyway")[0] == 0
    assert Experiment.load("best.yaml").training.lr_d
