"""Makes the results folders kept here, with the version of gansearch that is installed: run from the repository's root.

    python -m tests.folders.make DIR

Folders that are kept are never made again: they show that what an older version wrote still opens.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

TASK = "tests.folders.tasks:Points"
TRAINING = {"updates": 80, "batch_size": 8}
SEARCH = {"lr": {"low": 1e-6, "high": 1e-5, "log": True}, "betas": {"choices": [[0.5, 0.9], [0, 0.9]]}}
COMMON = {"sampler": "random", "limits": {"concurrent": 1}, "resources": {"cpus": 1}, "training": TRAINING}
EXPERIMENTS = {
    "finished": {
        "task": TASK,
        "search": {**SEARCH, "loss": {"choices": ["non_saturating", "hinge"]}},
        "trials": 4,
        "replicas": 2,
        "confirm": {"top": 1, "replicas": 2},
    },
    "cut_off": {
        "task": TASK,
        "training": {**TRAINING, "updates": 6_000},
        "search": SEARCH,
        "trials": 3,
        "checkpoints": {"updates": 500},
        "confirm": None,
    },
    "population": {
        "task": TASK,
        "sampler": {"name": "pbt", "perturbation_interval": 20, "quantile_fraction": 0.5},
        "search": {**SEARCH, "update_ratio": {"choices": [0.5, 1, 2]}},
        "limits": {},
        "trials": 4,
        "confirm": None,
    },
    "loop": {
        "task": "tests.folders.tasks:loop",
        "training": {"updates": 80},
        "search": {"gap": {"low": 0.01, "high": 2.0}},
        "trials": 3,
        "confirm": {"top": 1, "replicas": 2},
    },
    "table": {
        "task": "table",
        "task_options": {"path": "sklearn:wine", "columns": ["alcohol", "hue", "target"], "width": 8, "latent_dim": 8},
        "training": {"updates": 200, "batch_size": 32},
        "search": {"lr": {"low": 1e-3, "high": 1e-2, "log": True}},
        "trials": 2,
        "confirm": None,
    },
    "trained": {"task": TASK, "training": {**TRAINING, "lr_d": 1e-5, "lr_g": 1e-5}},
}


def make(name, folder):
    """Writes one folder; that of the sweep that is cut off once a trial has ended and the next has a checkpoint."""
    file = folder / f"{name}.yaml"
    common = COMMON if name != "trained" else {}
    file.write_text(yaml.safe_dump({"name": name, **common, **EXPERIMENTS[name]}, sort_keys=False))
    command = [sys.executable, "-m", "gansearch", "train" if name == "trained" else "sweep", f"{name}.yaml"]
    command += ["--out", name, *(["--seeds", "2"] if name == "trained" else ["--quiet"])]
    run = subprocess.Popen(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(Path.cwd())})
    if name == "cut_off":
        records = folder / name / "trials"
        while not ((records / "00000/result.json").exists() and [*records.glob("ray/00001/checkpoint_*/state.pt")]):
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
    run.wait()
    file.unlink()


if __name__ == "__main__":
    for one in EXPERIMENTS:
        make(one, Path(sys.argv[1]))
