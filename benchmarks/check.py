"""Compares the time of trials that `gansearch check` predicts with the real time of the same configurations.

    python benchmarks/check.py [--quick]

The dry run's own 16 configurations of each space (4 with --quick) are trained without pruning. Time is this process's
processor time on one thread, so that other processes do not count. The target is a ratio within 25% of 1.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from pathlib import Path

import torch

from gansearch.experiment import Experiment
from gansearch.gan import Trainer, load_task
from gansearch.search.dry_run import cost
from gansearch.search.dry_run.measuring import configurations, measure_task

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
NAMES = ("digits", "ring", "grid")
WITHIN = 0.25


def measure(name: str, quick: bool) -> dict[str, float]:
    """Return predicted and real seconds, of all configurations together."""
    experiment = Experiment.load(EXPERIMENTS / f"{name}.yaml", ["prune=false"])
    task, drawn, device = load_task(experiment.task), configurations(experiment), torch.device("cpu")
    start = time.perf_counter()
    measured = measure_task(experiment, task, drawn, device)
    took = time.perf_counter() - start
    pairs = []
    for training, predicted in list(zip(drawn, measured.costs, strict=False))[: 4 if quick else None]:
        trainer = Trainer(task, training, experiment.seed)
        for _ in trainer.run():
            pass
        if trainer.result().status == "complete":  # one that diverges ends at once
            pairs.append((predicted.seed, trainer.seconds))
    predicted_seconds, real = (sum(seconds) / len(pairs) for seconds in zip(*pairs, strict=True))
    ratios = sorted(one / other for one, other in pairs)
    return {
        "ratio": round(predicted_seconds / real, 3),
        "lowest": round(ratios[0], 3),
        "highest": round(ratios[-1], 3),
        "trials": len(pairs),
        "seconds_a_trial": round(real, 3),
        "seconds_of_the_dry_run": round(took, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="4 trials of each space in place of 16")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    time.perf_counter = time.process_time  # of the trainer and of the evaluations
    cost.Timer = functools.partial(cost.Timer, timer=time.process_time)
    figures = {}
    for name in NAMES:
        figures[name] = measure(name, quick)
        print(f"{name}: {figures[name]}", flush=True)
    ok = all(abs(figure["ratio"] - 1) <= WITHIN for figure in figures.values())
    print(json.dumps({"benchmark": "check", "figures": figures, "targets": {"within": WITHIN}, "ok": ok}))


if __name__ == "__main__":
    main()
