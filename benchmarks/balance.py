"""Balance held, gap-aware and fixed, on the same random configurations, seeds and budgets; resumable, a file a run.

    python benchmarks/balance.py [--tasks ring grid digits] [--configurations 40] [--out results/balance] [--quick]

The configurations are those of validity_runs.py: loss, R1, rates, update ratio and pretraining at random. A held one
is trained without its update ratio. Judged by distance and coverage (on ring and grid the share of modes with 2% of
the samples), not by the separability that it controls; a run without a finite distance is the worst. Paired with
`fixed` by sign test and Wilcoxon's on the logarithm. `best_of_10` replays the runs: the median over searches of 10
runs drawn from them, of `held` from those of all targets together.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import binomtest, wilcoxon
from validity_runs import UPDATES, configuration

from gansearch.experiment import Training
from gansearch.gan import Trainer, load_task

BALANCES: dict[str, dict[str, Any]] = {
    "fixed": {"balance": "fixed"},
    "held-0.6": {"balance": "held", "target_separability": 0.6},
    "held-0.7": {"balance": "held", "target_separability": 0.7},
    "held-0.8": {"balance": "held", "target_separability": 0.8},
    "gap_aware": {"balance": "gap_aware"},
}
DEFAULT = f"held-{Training().target_separability}"
MODES = {"ring": 8, "grid": 25}
WORST = 1e6
"""Stands for a distance that is not finite, so that logarithms and ranks exist."""
TARGETS = {"median_over_fixed": 1.0, "wilcoxon_p": 0.05}
QUICK = {"configurations": 1, "updates": 200}


def run(task: str, index: int, name: str, path: Path, updates: int | None) -> None:
    """Trains one configuration with one balance and writes what it came to."""
    training = Training(**configuration(task, index)).with_params(BALANCES[name])
    if updates is not None:
        training = training.with_params(
            {"updates": updates, "pretrain_steps": training.pretrain_steps * updates // 4000}
        )
    start = time.perf_counter()
    trainer = Trainer(load_task(task), training, seed=0)
    for _ in trainer.run():
        pass
    result = trainer.result()
    coverage = result.quality.get("coverage", result.quality.get("modes_2pct", 0.0) / MODES.get(task, 1))
    record = {
        "distance": result.distance if math.isfinite(result.distance) else WORST,
        "coverage": coverage,
        "verdict": result.verdict,
        "stability": result.stability,
        "separability": result.separability,
        "updates": [trainer.d_updates, trainer.g_updates],
        "seconds": time.perf_counter() - start,
        "params": training.model_dump(exclude_unset=True),
    }
    path.with_suffix(".part").write_text(json.dumps(record))
    path.with_suffix(".part").rename(path)


def table_of(runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The table of one task: a row a balance, each with what a pairing with `fixed` says."""
    distances = {name: np.array([r["distance"] for r in records]) for name, records in runs.items()}
    held = [distances[name] for name in distances if name.startswith("held")]
    table = {name: row(records, distances["fixed"]) for name, records in runs.items()}
    return {**table, "held": {"best_of_10": best_of(np.concatenate(held)), "best": float(np.min(held))}}


def row(records: list[dict[str, Any]], fixed: np.ndarray) -> dict[str, Any]:
    distance = np.array([r["distance"] for r in records])
    better, worse = int((distance < fixed).sum()), int((distance > fixed).sum())
    logs = np.log(distance / fixed)
    return {
        "median": float(np.median(distance)),
        "quartiles": [float(q) for q in np.quantile(distance, [0.25, 0.75])],
        "best": float(distance.min()),
        "best_of_10": best_of(distance),
        "healthy": sum(r["verdict"] == "balanced" for r in records) / len(records),
        "coverage": float(np.median([r["coverage"] for r in records])),
        "mean_coverage": float(np.mean([r["coverage"] for r in records])),
        "median_over_fixed": float(np.median(distance) / np.median(fixed)),
        "better_worse": [better, worse],
        "sign_p": float(binomtest(better, better + worse).pvalue) if better + worse else 1.0,
        "wilcoxon_p": float(wilcoxon(logs).pvalue) if logs.any() else 1.0,
        "seconds": float(np.median([r["seconds"] for r in records])),
    }


def best_of(distance: np.ndarray, n: int = 10) -> float:
    """The median, over searches of n runs drawn without replacement, of their smallest distance."""
    ordered, count = np.sort(distance), len(distance)
    n = min(n, count)
    # P(the best is among the k smallest) = 1 − C(count − k, n) / C(count, n)
    reached = [1 - math.comb(count - k, n) / math.comb(count, n) for k in range(1, count + 1)]
    return float(ordered[int(np.searchsorted(reached, 0.5))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(UPDATES), choices=list(UPDATES))
    parser.add_argument("--configurations", type=int, default=40)
    parser.add_argument("--out", type=Path, default=Path("results/balance"))
    parser.add_argument("--quick", action="store_true", help="a few short runs that say nothing but that all works")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.quick:
        with tempfile.TemporaryDirectory() as folder:
            conclude(options.tasks, QUICK["configurations"], Path(folder), QUICK["updates"])
    else:
        conclude(options.tasks, options.configurations, options.out, None)


def conclude(tasks: list[str], configurations: int, out: Path, updates: int | None) -> None:
    """Trains what is missing, then prints the table."""
    out.mkdir(parents=True, exist_ok=True)
    paths = {
        (task, index, name): out / f"{task}-{index:03d}-{name}.json"
        for index in range(configurations)
        for task in tasks
        for name in BALANCES
    }
    for (task, index, name), path in paths.items():
        if not path.exists():
            run(task, index, name, path, updates)
            print(path.stem, flush=True)
    found = {
        task: table_of(
            {
                name: [json.loads(paths[task, index, name].read_text()) for index in range(configurations)]
                for name in BALANCES
            }
        )
        for task in tasks
    }
    for task, table in found.items():
        for name, entry in table.items():
            print(task, name, json.dumps({k: np.round(v, 4).tolist() for k, v in entry.items()}))
    targets = {DEFAULT: TARGETS} if updates is None else {}  # shortened runs reach nothing
    ok = all(
        table[name][figure] < below
        for table in found.values()
        for name, figures in targets.items()
        for figure, below in figures.items()
    )
    print(json.dumps({"benchmark": "balance", "figures": found, "targets": targets, "ok": ok}))


if __name__ == "__main__":
    main()
