"""Whole sweeps of a script of the user's own: how its trials end, what is kept of them, exporting and training."""

from pathlib import Path
from typing import Any

import pytest

from gansearch import api
from gansearch.experiment import Experiment
from gansearch.study.status import lines, status
from gansearch.study.study import Study, load_study
from gansearch.training.train import train

SCRIPT = """
import argparse, os, random, subprocess, sys, time
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--kind", choices=["fine", "dies", "nan"])
parser.add_argument("--steps", type=int)
parser.add_argument("--seed", type=int)
parser.add_argument("--out")
options = parser.parse_args()
random.seed(options.seed)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
if options.kind == "dies":
    sys.exit("no data")
for step in range(1, options.steps + 1):
    loss = "nan" if options.kind == "nan" else f"{1.3 + random.random() / 10:.4f}"
    print(f"step {step} D_loss {loss} G_loss {0.7 + random.random() / 10:.4f}")
print(f"fid {options.rate + options.seed / 1e6:.6f}")
print(os.environ["SOME_TOKEN"])
with open(os.path.join(options.out, "model.txt"), "w") as file:
    file.write(str(options.rate))
"""


@pytest.fixture(scope="module")
def finished(ray_session: Any, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A sweep of four trials, each of which leaves a process behind; two are fine."""
    folder = tmp_path_factory.mktemp("script")
    (folder / "train.py").write_text(SCRIPT)
    words = "python train.py --rate={rate} --kind={kind} --steps={updates} --seed={seed} --out={out}"
    experiment = Experiment.parse(
        {
            "name": "my script",
            "task": {"command": words, "distance": "fid", "env": {"SOME_TOKEN": "sesame-open"}},
            "training": {"updates": 20},
            "search": {"rate": {"low": 0.5, "high": 9.0}, "kind": {"choices": ["fine", "dies", "nan"]}},
            "start_from": [
                {"kind": kind, "rate": rate} for kind, rate in (("fine", 2), ("dies", 1), ("nan", 1), ("fine", 3))
            ],
            "trials": 4,
            "sampler": "random",
            "confirm": None,
        },
        base=folder,
    )
    return api.sweep(experiment, folder / "out")


def test_trials_end_as_their_scripts_do(finished: Study) -> None:
    trials = finished.trials.sort_values("rate")
    assert sorted(trials["status"]) == ["complete", "complete", "failed", "failed"]
    assert finished.verdicts == {"diverged": 1, "unknown": 2}
    errors = "".join(trials["error"].dropna())
    assert "train.py: it ended with exit status 1; its last lines:\nno data" in errors
    assert "diverged: " in errors
    assert finished.best is not None
    assert finished.best.distance == 2
    assert set(finished.curves["update"]) >= set(range(1, 21))


def test_what_was_run_is_kept_without_secrets(finished: Study) -> None:
    assert finished.best is not None
    folder = finished.folder.record(finished.best.number) / "seed-0"
    assert "--rate=2.0 --kind=fine --steps=20 --seed=0" in (folder / "command.txt").read_text()
    assert (folder / "stdout.txt").read_text().endswith("fid 2.000000\n***\n")
    for path in finished.folder.path.rglob("*"):
        assert not path.is_file() or b"sesame-open" not in path.read_bytes() or path.suffix == ".journal", path


def test_the_report_and_the_status_say_why_verdicts_are_unknown(finished: Study) -> None:
    assert "Trial 0 is the nearest of the healthy" in finished.folder.report.read_text()
    assert "and cannot show the rest" in finished.folder.report.read_text()
    said = "\n".join(lines(status(load_study(finished.folder.path))))
    assert "verdicts: 2 unknown: stdout shows no divergence" in said


def test_without_a_distance_no_trial_is_the_best(finished: Study) -> None:
    task = finished.experiment.task.model_copy(update={"distance": None})  # type: ignore[union-attr]
    study = Study(finished.folder, finished.experiment.model_copy(update={"task": task}))
    assert study.best is None
    assert study.closest is not None
    assert study.closest.number in (0, 3)
    assert study.nothing_healthy().startswith("No best without a distance (task.distance); trial ")


def test_an_export_trains_the_script_and_keeps_what_it_leaves(finished: Study, tmp_path: Path) -> None:
    (tmp_path / "best.yaml").write_text(finished.export())
    result = train(Experiment.load(tmp_path / "best.yaml", ["task.env.SOME_TOKEN=x"]), out=tmp_path / "trained")
    assert result.seeds[0].status == "complete"
    assert result.distance == pytest.approx(2 + 0.02)
    assert (tmp_path / "trained" / "seed-20000" / "checkpoint" / "model.txt").read_text() == "2.0"
