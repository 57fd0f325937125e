"""Experiments of a tiny task, small enough for whole sweeps in tests."""

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gansearch.experiment import Experiment
from gansearch.search.sampling.searcher import StudySearcher, open_study
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.space_change import in_space
from gansearch.search.sampling.stopping import Budget
from gansearch.stability.result import SeedResult
from gansearch.store.folder import Folder
from gansearch.store.record import trial_record
from gansearch.store.trial_files import write_trial
from tests.search.studies import SEARCH

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


@pytest.fixture
def swept(tiny, tmp_path):
    """Makes a folder with a study of ended trials of the given parameters; the last of two that fail or are pruned."""

    def make(*points, name="out", **fields):
        experiment = tiny(**{"search": SEARCH, **fields})
        folder = Folder(tmp_path / name)
        folder.create(experiment)
        study = in_space(open_study(folder, experiment), folder, SearchSpace(experiment))
        searcher = StudySearcher(study, SearchSpace(experiment), Budget(experiment))
        for i, point in enumerate(points):
            study.enqueue_trial({k: v for k, v in point.items() if k != "status"})
            config = searcher.suggest("ray")
            failed = point.get("status") == "failed"
            seed = SeedResult(
                seed=0,
                status=point.get("status", "complete"),
                verdict="balanced",
                error="it broke" if failed else "",
                stability=0.5 + i / 100,
                distance=math.nan if failed else 1.0 + i,
                updates=80,
                train_seconds=1.0,
            )
            now = datetime.now(UTC)
            record = trial_record(
                config["number"], experiment, config["params"], [seed], started=now, ended=now, node=""
            )
            write_trial(folder, record, [])
            searcher.tell(record)
        return folder, experiment, study

    return make
