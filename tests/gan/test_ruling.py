"""The ruling on a generator's samples."""

import torch

from gansearch.gan import load_task
from gansearch.gan.data import data_of
from gansearch.gan.ruling import ruling_of
from gansearch.gan.tasks.mixtures import Ring
from gansearch.stability.observer import Observation


def ruled(task, fake):
    """The ruling on (M, 2) fakes, of which a generator makes as many as it is asked for."""
    return ruling_of(task, data_of(task, torch.device("cpu")), fake, lambda n: fake[:n])


def test_a_referee_is_the_observer_where_a_task_has_none():
    task = load_task("ring")
    observation = ruled(task, data_of(task, torch.device("cpu")).batch(2_000, torch.Generator()) + 2).observation
    assert observation.by == "a fresh referee"
    assert observation.auc > 0.9
    assert observation.count == 2_000
    assert len(observation.evidence.removeprefix("surest of samples ").split(", ")) == 3


def test_a_tasks_own_observer_sees_held_out_reals_and_the_exported_fakes():
    seen = []

    class Own(Ring):
        def observe(self, real, fake):
            seen.append((real, fake))
            return Observation(0.99, len(real), "an ear", "by clicks")

    task, fake = Own(), torch.randn(300, 2)
    ruling = ruled(task, fake)
    assert ruling.observation.by == "an ear"
    assert ruling.told == max(ruling.separability, 0.99)
    assert torch.equal(seen[0][0], data_of(task, torch.device("cpu")).held_out[:2_000])
    assert torch.equal(seen[0][1], fake)
