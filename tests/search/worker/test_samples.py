"""Few samples are kept, in the units of the data."""

import numpy as np
import pytest

from gansearch.gan.sample_display import MOST_BYTES
from gansearch.search.worker.samples import few, to_show
from tests.search.worker.test_trial import started


def test_the_samples_of_a_record_are_few(make_tiny):
    tiny = make_tiny()
    assert few(tiny, np.zeros((2000, 2), np.float32)).shape == (64, 2)
    assert few(tiny, np.zeros((2000, 3, 128, 128), np.float32)).nbytes <= MOST_BYTES
    assert few(tiny, np.zeros((10, 3, 512, 512), np.float32)) is None
    assert few(tiny, np.zeros((0, 2), np.float32)) is None


def test_what_is_shown_is_in_the_units_of_the_user_s_file(make_tiny, tmp_path):
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal([5, -40], [0.1, 300], (500, 2)))
    options = {"path": str(tmp_path / "points.npy"), "standardise": True}
    experiment = make_tiny().model_copy(update={"task": "points", "task_options": options})
    trial = started(experiment, {"lr": 1e-3, "betas": [0.5, 0.9]})
    for _ in trial.train():
        pass
    assert trial.error == ""
    for found in (trial.samples, to_show(experiment, trial.samples)["real"]):
        assert found[:, 0].mean() == pytest.approx(5, abs=0.5)
        assert found[:, 1].std() > 30
