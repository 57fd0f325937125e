import torch

from gansearch.experiment import Training
from gansearch.gan import Trainer, load_task
from tests.gan.conditional import Clusters


def test_samples_are_of_the_final_generator_in_evaluation_mode_and_leave_the_training_alone():
    trainer = Trainer(load_task("digits"), Training(updates=40, ema=0.5), seed=0)
    before = trainer.draws.get_state()
    samples = trainer.samples(70)
    assert samples.shape == (70, 1, 8, 8)
    assert torch.equal(trainer.draws.get_state(), before)
    assert trainer.generator.training
    assert trainer.final_generator() is trainer.average.module


def test_samples_may_have_conditions_that_are_asked_for():
    trainer = Trainer(Clusters(), Training(updates=40), seed=0)
    trainer.generator.forward = lambda z, y: y.float()[:, None].expand(-1, 2)
    wanted = torch.tensor([2, 0, 1])
    assert trainer.samples(3, wanted)[:, 0].tolist() == [2, 0, 1]
    assert len(trainer.samples(1_201)) == 1_201


def test_a_probe_gives_reals_and_fakes_the_same_conditions():
    trainer, seen = Trainer(Clusters(), Training(updates=40), seed=0), []
    network = trainer.discriminator.network
    forward = network.forward
    network.forward = lambda x, y: seen.append(y) or forward(x, y)
    trainer.probe()
    assert torch.equal(seen[0], seen[1])
    assert torch.equal(seen[0], trainer.data.conditions[0])
