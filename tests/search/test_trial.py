"""What one worker does: checkpoints from which a trial goes on, after a death or in a resumed sweep."""

import signal

import numpy as np
import pandas as pd
import pytest
import torch

from gansearch.search.errors import Interrupted
from gansearch.search.listener import Listener
from gansearch.search.sweep import sweep
from gansearch.search.trial import MOST_BYTES, _Trial, few
from gansearch.study.folder import Folder
from gansearch.study.tables import to_json


def results(trial):
    """Of all seeds, without their times."""
    return to_json([{k: v for k, v in seed.items() if k != "train_seconds"} for seed in trial.seeds])


def test_a_trial_goes_on_from_a_checkpoint_as_if_unbroken(make_tiny, tmp_path):
    experiment = make_tiny(replicas=2, prune=False)
    params = {"lr": 1e-3, "betas": [0.5, 0.9]}
    unbroken, cut = _Trial(experiment, params), _Trial(experiment, params)
    for _ in unbroken.train(1, 0):
        pass
    training = cut.train(1, 0)
    for _ in range(100):  # of 160 probes: in the middle of the second seed
        next(training)
    torch.save(cut.state(), tmp_path / "state.pt")
    resumed = _Trial(experiment, params)
    resumed.load_state(torch.load(tmp_path / "state.pt", weights_only=True))
    for _ in resumed.train(1, 0):
        pass
    assert unbroken.error == resumed.error == ""
    assert len(resumed.seeds) == 2
    assert results(resumed) == results(unbroken)
    assert to_json(resumed.rows) == to_json(unbroken.rows)
    assert np.array_equal(resumed.samples, unbroken.samples)


def test_the_samples_of_a_record_are_few():
    assert few(np.zeros((2000, 2), np.float32)).shape == (64, 2)
    assert few(np.zeros((2000, 3, 128, 128), np.float32)).nbytes <= MOST_BYTES
    assert few(np.zeros((10, 3, 512, 512), np.float32)) is None
    assert few(np.zeros((0, 2), np.float32)) is None


@pytest.fixture
def saved(tiny, tmp_path):
    """Makes an experiment of the task whose workers save often; and counts the looks at the quality so far."""

    def make(does=None):
        plain = tiny(does, seconds=1.2, trials=1, prune=False)
        return plain.model_copy(update={"task": plain.task.replace(":Tiny", ":Saved")})

    make.looks = lambda: len((tmp_path / "turns" / "looks").read_text().splitlines())
    return make


def curves(path):
    return pd.read_parquet(Folder(path).curves)["update"].tolist()


def test_a_trial_whose_worker_died_goes_on_from_its_checkpoint(ray_session, saved, tmp_path):
    (row,) = sweep(saved({"1": "die"}), tmp_path / "out").rows
    assert row["status"] == "complete"
    assert curves(tmp_path / "out") == list(range(1, 81))
    # Two before it died, two after: from the beginning it would have been four after.
    assert saved.looks() == 4
    assert not (tmp_path / "out" / "trials" / "ray").exists()


def test_a_trial_cut_short_goes_on_in_a_resumed_sweep(ray_session, saved, tmp_path):
    class Cut(Listener):
        def probes(self, number, rows):
            if rows[-1]["update"] >= 60 and list((tmp_path / "out" / "trials").glob("ray/*/checkpoint_*")):
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted):
        sweep(saved(), tmp_path / "out", listeners=[Cut()])
    before = saved.looks()
    assert before in (2, 3, 4)
    (row,) = sweep(saved(), tmp_path / "out", resume=True).rows
    assert row["number"] == 1
    assert row["status"] == "complete"
    assert curves(tmp_path / "out") == list(range(1, 81))
    assert saved.looks() <= before + 2
