"""Sweeps of a tiny task, small enough for tests."""

from pathlib import Path

import pytest

from gansearch.experiment import Experiment

TASKS = Path(__file__).with_name("tasks.py")


@pytest.fixture
def tiny(tmp_path):
    """Makes a tiny experiment; `does` and `seconds` are options of its task, the rest its fields."""
    turns = tmp_path / "turns"
    turns.mkdir()

    def make(does=None, seconds=0.0, **fields):
        options = {"turns": str(turns), "does": does or {}, "seconds": seconds}
        defaults = {
            "name": "tiny",
            "task": f"{TASKS}:Tiny",
            "task_options": options,
            "training": {"updates": 40, "batch_size": 8},
            "search": {
                "lr": {"low": 1e-4, "high": 1e-2, "log": True},
                "betas": {"choices": [[0.5, 0.9], [0, 0.9]]},
            },
            "trials": 4,
            "sampler": "random",
            "confirm": None,
        }
        return Experiment.parse({**defaults, **fields})

    return make
