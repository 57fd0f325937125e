"""The ruling on a generator's samples."""

import pytest
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


def test_copies_of_training_samples_are_counted():
    task = load_task("ring")
    data = data_of(task, torch.device("cpu"))
    fresh = data.held_out[:400] + 0.01 * torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
    assert ruled(task, fresh).copied < 0.05
    half = torch.cat([fresh[:200], data.real[-200:] + 1e-6])
    assert ruled(task, half).copied == pytest.approx(0.5, abs=0.02)
    assert ruled(task, half).repeated < 0.05


def test_of_data_without_end_nothing_is_copied():
    class Endless(Ring):
        def real_batch(self, n, generator):
            return torch.randn(n, 2, generator=generator)

    assert ruled(Endless(), torch.zeros(400, 2)).copied == 0


def test_distances_are_measured_in_a_tasks_embedding():
    class Angle(Ring):
        def embedding(self, samples):
            return samples / samples.norm(dim=1, keepdim=True)

    fake = 3 * data_of(Ring(), torch.device("cpu")).held_out[:1_000]
    assert ruled(Ring(), fake).apart > 0.3
    assert ruled(Angle(), fake).apart < 0.1


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
