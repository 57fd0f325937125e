"""The ruling on a generator's samples: a referee and an observer, the same for every trial of a task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from gansearch.gan.conditions import are_classes
from gansearch.gan.data import Data
from gansearch.gan.networks import discriminator_of, make_weights, parts
from gansearch.gan.task import Task
from gansearch.stability.classes import by_class
from gansearch.stability.measures import copies, distances, per_sample
from gansearch.stability.observer import Observation, observe_scores
from gansearch.stability.referee import SAMPLES, Ruling, referee, rule

MOST_SAMPLES = 2_000
"""Of each kind, that a referee sees."""
_AT_ONCE = 1_000
"""Samples that a referee scores at once."""
_SEARCHED = 10_000
"""Training samples among which copies are looked for, at most."""
_COMPARED = 500
"""Samples of each kind that may be copies."""
_NEAR = 0.1
"""Distance to a training sample, as a share of the median of held-out reals, up to which a sample is a copy of it."""
_WIDTH = 128
"""Of the layers of the referee of a loop."""


def ruling_of(task: Task, data: Data, fake: Tensor, draw: Callable[..., Tensor]) -> Ruling:
    """The ruling on a task's (M, ...) exported fakes; `draw(n)` gives n more of the same generator.

    With conditions the fakes have those of `data.repeated(M)`, and `draw(n, y)` is asked for others.

    The referee is a fresh D of the task, with the same budget and random numbers for every trial.
    """
    device = data.held_out.device
    draws = torch.Generator(device).manual_seed(0)
    held_out, *y = data.first(MOST_SAMPLES)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(0)
        fresh_d = discriminator_of(task, conditional=bool(y)).to(device)
        make_weights(fresh_d, held_out.shape[1:], device, y)
        real, *conditions = data.some(MOST_SAMPLES, draws)
        fakes = (draw(MOST_SAMPLES, *conditions), *conditions), (draw(len(held_out), *y), *y)
        separability = referee(fresh_d, (real, *conditions), fakes[0], (held_out, *y), fakes[1], generator=draws)
    observation = task.observe(held_out.cpu().float(), fake.cpu())
    if observation is None:
        observation = _asked(fresh_d, separability, len(held_out), fake.to(device), *data.repeated(len(fake)))
    embedded = [task.embedding(samples[:SAMPLES]) for samples in (held_out, fake.to(device))]
    ruling = rule(separability, *embedded)
    if y and are_classes(y[0]):
        labels = [part[:SAMPLES] for part in (*y, *data.repeated(len(fake)))]
        found = by_class(embedded[0], embedded[1], labels[0], labels[1], task.class_names())
        ruling = replace(ruling, classes=tuple(found))
    return replace(ruling, observation=observation, copied=_copied(data, fake))


def ruling_on(real: Tensor, fake: Tensor) -> Ruling:
    """A referee's ruling on (N, ...) reals and (M, ...) fakes: it learns from one half and is tested on the other.

    A loop keeps its discriminator to itself, so the referee is a small network of our own: 2 × 128 LeakyReLU on flat
    samples, standardised by the reals.
    """
    draws = torch.Generator().manual_seed(0)
    mean, spread = real.mean(), real.std().clamp_min(1e-12)
    (real_train, real_test), (fake_train, fake_test) = (
        torch.chunk(((samples - mean) / spread)[torch.randperm(len(samples), generator=draws)], 2)
        for samples in (real, fake)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        fresh_d = nn.Sequential(
            *(nn.Flatten(), nn.Linear(real[0].numel(), _WIDTH), nn.LeakyReLU(0.2)),
            *(nn.Linear(_WIDTH, _WIDTH), nn.LeakyReLU(0.2), nn.Linear(_WIDTH, 1)),
        )
        sets = ((samples,) for samples in (real_train, fake_train, real_test, fake_test))
        separability = referee(fresh_d, *sets, generator=draws)
    observation = _asked(fresh_d, separability, len(real_test), (fake - mean) / spread)
    return replace(rule(separability, real, fake), observation=observation)


def _copied(data: Data, fake: Tensor) -> float:
    """The share of (M, ...) fakes that are copies of training samples."""
    if data.real is None:
        return 0.0
    picks = torch.randperm(data.count, generator=torch.Generator().manual_seed(0))[:_SEARCHED]
    compared = torch.cat([data.held_out[:_COMPARED], fake[:_COMPARED].to(data.device)])
    parts = (data.at(part) for part in picks.split(_AT_ONCE))
    nearest = torch.stack([distances(compared, part).amin(1) for part in parts]).amin(0)
    count = min(_COMPARED, len(data.held_out))
    return float(copies(nearest[:count], nearest[count:], _NEAR))


def _asked(fresh_d: nn.Module, separability: float, count: int, *fake: Tensor) -> Observation:
    """What a referee that has learned, tested on `count` reals, tells of (M, ...) fakes and their conditions if any."""
    sizes = parts(len(fake[0]), _AT_ONCE)
    with torch.no_grad():
        scores = [per_sample(fresh_d(*part)) for part in zip(*(one.split(sizes) for one in fake), strict=True)]
    return observe_scores(separability, count, torch.cat(scores).float().cpu().numpy())
