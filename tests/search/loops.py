"""Tiny training loops of a user's own, for the sweep's tests: scores without networks, and ways to fail."""

import json
import os
import time
from pathlib import Path

import torch

from gansearch.search.worker import run as worker


def train(trial, turns="", seconds=0.0):
    """40 updates with a report each 4th. Separability grows with `lr`; "die" kills the first worker at update 24."""
    worker.REPORT_SECONDS = 0.1
    saved = trial.checkpoint_dir / "last.json"
    done = json.loads(saved.read_text()) if saved.exists() else 0
    for step in range(done + 1, trial.updates + 1):
        time.sleep(seconds / trial.updates)
        if turns:
            with (Path(turns) / "steps").open("a") as steps:
                steps.write(f"{trial.seed} {step}\n")
        if step % 4:
            continue
        draws = torch.Generator().manual_seed(step)
        real, fake = (torch.randn(200, generator=draws) for _ in range(2))
        if trial.params.get("kind") == "die" and not (Path(turns) / "died").exists() and step == 24:
            (Path(turns) / "died").touch()
            os._exit(3)
        if trial.params.get("kind") == "raise":
            raise RuntimeError("no such luck")
        trial.monitor.update(real + trial.params["lr"], fake)
        saved.write_text(str(step))
        trial.report(step=step, distance=1 + trial.params["lr"], fid=step)
        if trial.should_stop():
            return
