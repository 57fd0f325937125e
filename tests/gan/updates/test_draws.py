import pytest
import torch

from gansearch.experiment import Training
from gansearch.gan import Trainer
from tests.gan.conditional import Clusters, Endless
from tests.gan.paired import Halves


@pytest.mark.parametrize("task", [Clusters(), Endless(), Halves()], ids=lambda task: type(task).__name__)
def test_a_batch_has_a_condition_for_each_sample_and_both_draws_are_the_same(task):
    one, other = (Trainer(task, Training(updates=10)) for _ in range(2))
    samples, labels = one._batch(6)
    (alone,) = other._conditions(6)
    assert len(samples) == len(labels) == 6
    assert torch.equal(labels, alone)
    assert one._latents(6).shape == (6, task.latent_dim)


def test_noise_falls_to_nothing():
    trainer = Trainer(Clusters(), Training(updates=10, instance_noise=1.0))
    first = trainer._noise_std(2)
    for _ in trainer.run():
        pass
    assert (first, trainer._noise_std(2)) == (1.0, 0.0)
