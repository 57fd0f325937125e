"""What the process of a trial does: it trains, reports, and saves itself."""

import pickle
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gansearch.experiment import Experiment
from gansearch.search.worker import process, run
from gansearch.search.worker.process import Origin, call
from gansearch.search.worker.trial import TrialRun
from gansearch.search.worker.worker import PROGRAM
from tests.search.worker import calls


def test_a_checkpoint_that_cannot_be_written_costs_nothing(monkeypatch):
    def full(*given):
        raise RuntimeError("PytorchStreamWriter failed writing file: No space left on device")

    monkeypatch.setattr(run.torch, "save", full)
    assert not run._saved(SimpleNamespace(state=dict, checkpoint_required=False), None, {"rows": []})


def test_a_full_disk_that_tune_meets_ends_only_what_needs_its_checkpoints():
    def link(name, news, folder):
        assert (name, news) == ("report", {"rows": b""})
        return "No space left on device"

    assert not run._saved(SimpleNamespace(state=dict, checkpoint_required=False), link, {"rows": b""})
    with pytest.raises(RuntimeError, match="No space left"):
        run._saved(SimpleNamespace(state=dict, checkpoint_required=True), link, {"rows": b""})


class Loaded:
    """A run that keeps what it is given."""

    checkpoint_required = False

    def __init__(self, config, cpus, gpus):
        self.given = []

    def load_state(self, state, resumed):
        self.given.append((state, resumed))


def test_a_checkpoint_that_cannot_be_read_is_named_and_an_older_one_taken(tmp_path, caplog):
    older, newest = (tmp_path / name for name in ("checkpoint_000000", "checkpoint_000001"))
    for folder in (older, newest):
        folder.mkdir()
    torch.save({"updates": 3}, older / run.STATE)
    (newest / run.STATE).write_bytes(b"cut off")
    begun = run.begun(pickle.dumps(Loaded), {}, 1.0, 0.0, [str(newest), str(older)], False)
    assert begun.given == [({"updates": 3}, True)]
    assert f"{newest} is passed over" in caplog.text
    assert run.begun(pickle.dumps(Loaded), {}, 1.0, 0.0, [str(newest)], True).given == []


def test_a_member_of_a_population_does_not_begin_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(Loaded, "checkpoint_required", True)
    (tmp_path / run.STATE).write_bytes(b"cut off")
    with pytest.raises(pickle.UnpicklingError):
        run.begun(pickle.dumps(Loaded), {}, 1.0, 0.0, [str(tmp_path)], True)
    assert run.begun(pickle.dumps(Loaded), {}, 1.0, 0.0, [str(tmp_path)], False).given == []  # of an earlier sweep


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Trains trials of an experiment as a worker does, and returns what each seed reported and the ending."""
    monkeypatch.setenv("GANSEARCH_TEST_FOLDER", str(Path.cwd()))

    def train(experiment, trials):
        origin, make = Origin.of(experiment), pickle.dumps(partial(TrialRun, experiment))
        try:
            for number in range(trials):
                config, rows = {"number": number, "params": {"lr": 1e-3}}, []
                known = {"report": lambda news, folder: rows.extend(pickle.loads(news["rows"])) or "", "node": str}  # noqa: B023, S301
                left, news = call(origin, PROGRAM, (b"", (make, config, 1, 0, [], False)), known)
                while left:
                    known["report"](news, None)
                    left, news = call(origin, PROGRAM, (left, ()), known)
                known["report"](news, None)
                yield rows, pickle.loads(news["ending"])  # noqa: S301
        finally:
            process._servers.pop(origin.key).close()

    return train


def test_each_seed_of_each_trial_of_a_loop_finds_its_process_as_the_first_one_did(trained):
    fields = {
        "name": "x",
        "task": f"{calls.__file__}:once",
        "training": {"updates": 4},
        "trials": 2,
        "replicas": 2,
        "prune": False,
    }
    experiment = Experiment.parse({**fields, "search": {"lr": {"low": 1e-4, "high": 1e-2}}, "confirm": None})
    drawn = []
    for rows, ending in trained(experiment, 2):
        assert ending.error == ""
        assert [(row["seed"], row["update"]) for row in rows] == [(s, u) for s in (0, 1) for u in (1, 2, 3, 4)]
        assert [seed.status for seed in ending.seeds] == ["complete"] * 2
        assert ending.started < ending.ended
        drawn.append([seed.quality["drawn"] for seed in ending.seeds])
    assert drawn[0] == drawn[1], "a seed has the same random numbers of Python and numpy in each trial"
    assert drawn[0][0] != drawn[0][1], "and another seed has others"


def test_a_class_whose_file_sets_a_type_is_trained_in_ours(trained, tmp_path):
    code = Path(calls.__file__).read_text().replace("READ =", "torch.set_default_dtype(torch.float64)\nREAD =")
    (tmp_path / "double.py").write_text(code)
    fields = {
        "name": "x",
        "task": f"{tmp_path}/double.py:Mine",
        "training": {"updates": 40},
        "trials": 2,
        "prune": False,
    }
    experiment = Experiment.parse({**fields, "search": {"lr": {"low": 1e-4, "high": 1e-2}}, "confirm": None})
    for _, ending in trained(experiment, 2):
        assert ending.error == ""
        assert [seed.status for seed in ending.seeds] == ["complete"]
