"""The judge of the head-to-head: trains a winner on fresh seeds by the plain loop, and says what became of each.

Distance and coverage are the task's at the end of training. The verdict is gansearch's, of a monitor that looks at the
plain loop from outside as often as at a trial, and of a referee at the end.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch
from head_to_head_loop import PlainLoop

from gansearch.experiment import Experiment, Training
from gansearch.gan import load_task
from gansearch.gan.evaluation import PROBE_SAMPLES, SEEN_SAMPLES
from gansearch.gan.networks import Frozen, gradient_norm
from gansearch.gan.probe_schedule import probe_updates
from gansearch.gan.ruling import MOST_SAMPLES, ruling_of
from gansearch.gan.updates.losses import LOSSES
from gansearch.stability.monitor import StabilityMonitor

FIRST_SEED = 900_000
"""Of the fresh seeds; no search comes so far."""


def judged(experiment: Experiment, winners: Sequence[Training], seeds: int, processes: int = 2) -> list[list[dict]]:
    """What became of each winner on the same fresh seeds."""
    jobs = [(experiment, winner, FIRST_SEED + seed) for winner in winners for seed in range(seeds)]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        found = list(pool.map(trained, *zip(*jobs, strict=True)))
    return [found[i : i + seeds] for i in range(0, len(found), seeds)]


def trained(experiment: Experiment, training: Training, seed: int) -> dict[str, Any]:
    """One seed: `distance`, `coverage` where the task has it, `verdict` and `stability`."""
    task = load_task(experiment.task, experiment.task_options)
    loop = PlainLoop(task, training, seed)
    monitor = StabilityMonitor(LOSSES[training.loss].output)  # type: ignore[arg-type]
    draws = torch.Generator().manual_seed(seed + 1)
    for update in probe_updates(training.updates):
        loop.train(update)
        _look(loop, monitor, draws)
    quality = loop.quality()
    fake = loop.samples(min(MOST_SAMPLES, max(len(loop.data.held_out), 100)))
    finite = bool(fake.isfinite().all())
    ruling = ruling_of(task, loop.data, fake, loop.samples) if finite else None
    if not finite:
        monitor.mark_invalid()
    report = monitor.report(since=(training.updates + training.pretrain_steps) // 2, ruling=ruling)
    found = {"seed": seed, "distance": quality["distance"], "coverage": quality.get("coverage")}
    return {**found, "verdict": report.verdict, "stability": report.stability}


def _look(loop: PlainLoop, monitor: StabilityMonitor, draws: torch.Generator) -> None:
    """Gives the monitor D's answers, without a trace in the training."""
    generator, discriminator, task = loop.generator, loop.discriminator, loop.task
    real = loop.data.held_out[:PROBE_SAMPLES]
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        with Frozen(discriminator, dropout=False), Frozen(generator, dropout=False):
            fake = generator(torch.randn(len(real), task.latent_dim, generator=draws))
            scores = [discriminator(samples).flatten() for samples in (real, fake)]
            seen = None
            if loop.data.real is not None:
                seen = discriminator(loop.data.batch(min(SEEN_SAMPLES, len(real)), draws)).flatten()
        norm = gradient_norm(generator)
        embedded = task.embedding(real), task.embedding(fake)
        monitor.update(*scores, loop.updates, norm, seen=seen, samples=embedded)
