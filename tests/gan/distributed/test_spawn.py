"""Training by several processes of this machine."""

import pytest
import torch
from torch.multiprocessing import ProcessRaisedException

from gansearch import Experiment, ExperimentError, train

pytestmark = pytest.mark.slow

TASK = """
import torch
from multiprocessing import parent_process
from torch import nn
from gansearch import Task


class Small(Task):
    latent_dim = 2

    def __init__(self, breaks=False):
        self.breaks = breaks

    def real(self):
        return torch.randn(100, 2, generator=torch.Generator().manual_seed(0))

    def generator(self):
        if self.breaks and parent_process() is not None:
            raise RuntimeError("no such luck")
        return nn.Linear(2, 2)

    def discriminator(self):
        return nn.Linear(2, 1)
"""


@pytest.fixture
def experiment(tmp_path):
    (tmp_path / "small.py").write_text(TASK)

    def make(resources, **options):
        training = {"updates": 60, "batch_size": 8}
        task = {"task": f"{tmp_path / 'small.py'}:Small", "task_options": options}
        return Experiment.parse({"name": "small", **task, "training": training, "resources": resources})

    return make


def test_two_workers_train_what_one_does(experiment, tmp_path):
    (alone,) = train(experiment({}), out=tmp_path / "alone").seeds
    (shared,) = train(experiment({"workers": 2}), out=tmp_path / "shared").seeds
    assert shared.updates == 60
    assert shared.distance == pytest.approx(alone.distance, rel=1e-3)
    assert shared.samples == pytest.approx(alone.samples, rel=1e-3, abs=1e-3)
    written = [{p.name for p in (tmp_path / name / f"seed-{alone.seed}").iterdir()} for name in ("alone", "shared")]
    assert written[0] == written[1]


def test_what_another_process_raises_is_raised_here(experiment):
    with pytest.raises(ProcessRaisedException, match="no such luck"):
        train(experiment({"workers": 2}, breaks=True))


def test_too_few_gpus_are_said(experiment, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ExperimentError, match=r"resources.*gpus.*2 are needed.*has 1"):
        train(experiment({"gpus": 2}))
