"""Experiments of a tiny task, small enough for whole sweeps in tests."""

from pathlib import Path

import pytest

from gansearch.experiment import Experiment

TASKS = Path(__file__).with_name("tasks.py")


@pytest.fixture(scope="session")
def make_tiny():
    """Makes a tiny experiment; `turns`, `does` and `seconds` are options of its task, the rest its fields."""

    def make(turns="", does=None, seconds=0.0, **fields):
        replicas = fields.get("replicas", 1)
        defaults = {
            "name": "tiny",
            "task": f"{TASKS}:Tiny",
            "task_options": {
                "turns": str(turns),
                "does": does or {},
                "seconds": seconds,
                "seeds": replicas["least"] if isinstance(replicas, dict) else replicas,
            },
            "training": {"updates": 80, "batch_size": 8},
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


@pytest.fixture
def tiny(make_tiny, tmp_path):
    """`make_tiny` with a folder for its turns, one trial at a time unless said otherwise."""
    turns = tmp_path / "turns"
    turns.mkdir()

    def make(does=None, **fields):
        return make_tiny(turns, does, **{"limits": {"concurrent": 1}, **fields})

    return make
