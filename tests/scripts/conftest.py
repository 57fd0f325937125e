"""Small scripts, run for real; what is made ready for them is the least."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gansearch.experiment import DistanceCommand, LoopTraining, ScriptTask
from gansearch.gan import Probe
from gansearch.scripts.prepare.prepare import Prepared
from gansearch.scripts.run import trainer
from gansearch.scripts.run.supervisor import members
from gansearch.scripts.run.trainer import ScriptTrainer
from gansearch.scripts.task import Script

ROWS = """
import time
for i in range(1, 21):
    print(f"step {i} d_loss {1.3 + i % 3 / 10:.4f} g_loss {0.7 + i % 5 / 10:.4f}")
"""
"""Twenty steps of a training in which nothing is wrong."""


def least(script: ScriptTask, values: Any, *, folder: Path, seed: int, updates: int, **others: Any) -> Prepared:
    """A run in an empty folder, with `{out}`, `{seed}` and `{updates}` filled in."""
    out = folder / "out"
    out.mkdir(parents=True)

    def filled(word: str) -> str:
        return word.replace("{out}", str(out)).replace("{seed}", str(seed)).replace("{updates}", str(updates))

    distance = script.distance.command if isinstance(script.distance, DistanceCommand) else None
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "MY_API_KEY": "not-for-others"}
    words = list(map(filled, script.command))
    measured = None if distance is None else list(map(filled, distance))
    return Prepared(words, environment, folder, out, "", filled(script.metrics), measured)


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[ScriptTrainer, list[Probe]]]:
    """Runs the code of a script as `train.py`, and returns its trainer and its probes."""
    monkeypatch.setattr(trainer, "prepare", least)
    monkeypatch.setattr(trainer, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(trainer, "LOOK_SECONDS", 0.1)

    def run(code: str, updates: int = 20, words: tuple[str, ...] = (), prune: bool = False, **task: Any) -> Any:
        (tmp_path / "train.py").write_text(code)
        script = ScriptTask(command=[sys.executable, str(tmp_path / "train.py"), *words], **task)
        one = ScriptTrainer(Script(script), script, LoopTraining(updates=updates), 3, prune=prune)
        return one, list(one.run())

    return run


def gone(token: str) -> bool:
    """Whether nothing is left of a run; waited for a little, since what was killed takes a moment."""
    by = time.monotonic() + 60
    while members(-1, token):
        if time.monotonic() > by:
            return False
        time.sleep(0.05)
    return True
