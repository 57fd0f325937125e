"""Times the trainer, probes included, against a plain hand-written loop over the same networks, in turns.

    python benchmarks/step.py [--quick]

The plain loop is the textbook's (Goodfellow et al. 2014, algorithm 1; Adam; fresh latents for each network's update),
on data that is already in memory, without probes. Both draw the same numbers, so their losses must agree update
by update. Prints the ratio of processor times, trainer over plain, for each task.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator

import torch
from torch.nn import functional as F

from gansearch.experiment import Training
from gansearch.gan import Trainer, load_task
from gansearch.gan.data import data_of
from gansearch.gan.task import Task

TARGETS = {"digits": 0.92, "ring": 1.00}


def plain(task: Task, training: Training, seed: int) -> Iterator[torch.Tensor]:
    """The textbook's loop; yields each update's loss."""
    draws = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    generator, discriminator = task.generator(), task.discriminator()
    optimizer_d = torch.optim.Adam(discriminator.parameters(), training.lr, betas=training.betas)
    optimizer_g = torch.optim.Adam(generator.parameters(), training.lr, betas=training.betas)
    data = data_of(task, torch.device("cpu")).real
    size = training.batch_size
    while True:
        real = data[torch.randint(len(data), (size,), generator=draws)]
        fake = generator(torch.randn(size, task.latent_dim, generator=draws)).detach()
        optimizer_d.zero_grad()
        real_loss = F.binary_cross_entropy_with_logits(discriminator(real), torch.ones(size, 1))
        fake_loss = F.binary_cross_entropy_with_logits(discriminator(fake), torch.zeros(size, 1))
        (real_loss + fake_loss).backward()
        optimizer_d.step()
        yield (real_loss + fake_loss).detach()

        optimizer_g.zero_grad()
        fake = generator(torch.randn(size, task.latent_dim, generator=draws))
        loss = F.binary_cross_entropy_with_logits(discriminator(fake), torch.ones(size, 1))
        loss.backward()
        optimizer_g.step()
        yield loss.detach()


def largest_difference(task: Task, training: Training) -> float:
    """Largest relative difference of the two loops' losses over their first updates."""
    trainer = Trainer(task, training, seed=1)
    ours = [float(trainer.step()) for _ in range(training.updates)]
    return max(abs(a - float(b)) / abs(float(b)) for a, b in zip(ours, plain(task, training, 1), strict=False))


def times(task: Task, training: Training, seed: int) -> tuple[list[float], list[float]]:
    """Returns seconds of the trainer and of the plain loop, in turns from probe to probe: other load affects both."""
    ours, theirs = [], []
    trainer = Trainer(task, training, seed)
    run, loop, done = trainer.run(), plain(task, training, seed), 0
    while done < training.updates:
        start = time.process_time()
        next(run)
        middle = time.process_time()
        for _ in range(trainer.updates - done):
            next(loop)
        ours.append(middle - start)
        theirs.append(time.process_time() - middle)
        done = trainer.updates
    return ours, theirs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter runs")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    figures, ok = {}, True
    for name, target in TARGETS.items():
        task, training = load_task(name), Training(updates=4000)
        times(task, Training(updates=100), 0)  # warm: the digits' classifier is trained once a process
        runs = [times(task, training, seed) for seed in range(1 if quick else 5)]
        ratios = [sum(ours) / sum(theirs) for ours, theirs in runs]
        difference = largest_difference(task, Training(updates=50))
        figures[name] = {
            "ratio": round(statistics.median(ratios), 3),
            "lowest": round(min(ratios), 3),
            "highest": round(max(ratios), 3),
            "plain_ms_per_update": round(1e3 * sum(sum(b) for _, b in runs) / len(runs) / training.updates, 3),
            "largest_loss_difference": difference,
        }
        ok = ok and figures[name]["ratio"] <= target and difference < 1e-4
        print(f"{name}: trainer / plain = {figures[name]['ratio']} (target {target}), {figures[name]}")
    print(json.dumps({"benchmark": "step", "figures": figures, "targets": TARGETS, "ok": ok}))


if __name__ == "__main__":
    main()
