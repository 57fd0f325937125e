"""Measures the cost of the monitor, and of a whole probe, against the training steps between two probes, in turns.

    python benchmarks/monitor.py [--quick]

On the digits networks at the default cadence, 50 probes in 4,000 updates: after the training steps of one interval come
an `update` of the monitor with scores alone, one with samples and scores of seen reals as the trainer gives them, and a
whole probe (G and D run on 256 samples each, with all measures and a synchronisation). Prints each as a share of the
steps' processor time, and the bytes that a monitor holds after a short and a long run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch

from gansearch.experiment import Training
from gansearch.gan import Trainer, load_task
from gansearch.gan.probe_schedule import PROBES
from gansearch.stability import StabilityMonitor

TARGETS = {"monitor_share": 0.01}
UPDATES = 4000


def seconds(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def shares(loss: str, intervals: int) -> dict[str, float]:
    """Median shares of an interval's training time, of `intervals` intervals."""
    trainer = Trainer(load_task("digits"), Training(loss=loss, updates=UPDATES, gp=0.0), seed=0)
    real = trainer.data.held_out[:256]
    with torch.no_grad():
        fake = trainer.generator(torch.randn(len(real), trainer.task.latent_dim))
        scores = trainer.discriminator(real), trainer.discriminator(fake)
    seen = scores[0][:64]
    alone, whole = (StabilityMonitor(trainer.monitor.output) for _ in range(2))
    steps = [trainer.step for _ in range(UPDATES // PROBES)]
    actions: dict[str, Callable[[], object]] = {
        "monitor_share": lambda: alone.update(*scores, generator_grad_norm=torch.ones(())),
        "with_samples_share": lambda: whole.update(*scores, seen=seen, samples=(real, fake)),
        "probe_share": trainer.probe,
    }
    found: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(intervals):
        training = seconds(lambda: [step() for step in steps])
        for name, action in actions.items():
            found[name].append(seconds(action) / training)
    return {name: round(statistics.median(values), 4) for name, values in found.items()}


def held_bytes(probes: int) -> int:
    """Bytes of the tensors in a monitor after so many probes."""
    monitor = StabilityMonitor()
    for _ in range(probes):
        monitor.update(torch.zeros(4), torch.zeros(4))
    return sum(value.nbytes for value in monitor.state().values() if isinstance(value, torch.Tensor))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer intervals")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    figures: dict[str, object] = {}
    ok = True
    for loss in ("non_saturating", "hinge"):
        figures[loss] = found = shares(loss, 8 if quick else 40)
        ok &= found["monitor_share"] <= TARGETS["monitor_share"]
        print(loss, *(f"{name}: {value:.2%} of the training between two probes" for name, value in found.items()))
    figures["bytes"] = {probes: held_bytes(probes) for probes in (300, 3000)}
    print(f"bytes held after so many probes: {figures['bytes']}")
    print(json.dumps({"benchmark": "monitor", "figures": figures, "targets": TARGETS, "ok": ok}))


if __name__ == "__main__":
    main()
