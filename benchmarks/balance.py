"""Compares held, gap-aware and fixed balance on the same random configurations, seeds and budgets.

A file is written for each run, so that the benchmark can be resumed.

    python benchmarks/balance.py [--tasks ring grid digits] [--configurations 40 [...]] [--out DIR] [--quick]

The configurations are those of validity_runs.py: loss, R1, rates, update ratio and pretraining at random. A held one
has a random target in place of its update ratio, as a search over it has: each has one number for its balance.
The measures are distance and coverage (on ring and grid the share of modes with 2% of the samples), not the
separability that is controlled; a run without a finite distance is the worst. Each balance is paired with `fixed` by
the sign test and Wilcoxon's on the logarithm, by task and over all of them. `best_of_10` replays the runs: the median
over searches of 10 configurations drawn from them. Over all tasks `held` is also listed by a third of its targets.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
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

BALANCES = ("fixed", "held", "gap_aware")
TARGETS_DRAWN = (0.55, 0.9)
"""Targets of the separability that is held."""
MODES = {"ring": 8, "grid": 25}
WORST = 1e6
"""Replaces a distance that is not finite, so that logarithms and ranks exist."""
QUICK = {"configurations": 1, "updates": 200}


def target(task: str, index: int) -> float:
    """The separability that the index-th configuration holds."""
    return random.Random(f"held {task} {index}").uniform(*TARGETS_DRAWN)


def run(task: str, index: int, name: str, path: Path, updates: int | None) -> None:
    """Trains one configuration with one balance and writes its result."""
    balance = {"balance": name} | ({"target_separability": target(task, index)} if name == "held" else {})
    training = Training(**configuration(task, index)).with_params(balance)
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


def table_of(runs: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Returns a row for each balance, with its pairing with `fixed`."""
    fixed = np.array([record["distance"] for record in runs["fixed"]])
    return {name: row(records, fixed) for name, records in runs.items()}


def row(records: list[dict[str, Any]], fixed: np.ndarray) -> dict[str, Any]:
    distance = np.array([r["distance"] for r in records])
    return {
        "median": float(np.median(distance)),
        "quartiles": [float(q) for q in np.quantile(distance, [0.25, 0.75])],
        "best": float(distance.min()),
        "best_of_10": best_of(distance),
        "healthy": sum(r["verdict"] == "balanced" for r in records) / len(records),
        "coverage": float(np.median([r["coverage"] for r in records])),
        "mean_coverage": float(np.mean([r["coverage"] for r in records])),
        "median_over_fixed": float(np.median(distance) / np.median(fixed)),
        **paired(np.log(distance / fixed)),
        "seconds": float(np.median([r["seconds"] for r in records])),
    }


def paired(logs: np.ndarray) -> dict[str, Any]:
    """Returns the tests of the logarithms of (distance / that of `fixed`), pair by pair."""
    better, worse = int((logs < 0).sum()), int((logs > 0).sum())
    return {
        "median_ratio": float(np.exp(np.median(logs))),
        "better_worse": [better, worse],
        "sign_p": float(binomtest(better, better + worse).pvalue) if better + worse else 1.0,
        "wilcoxon_p": float(wilcoxon(logs).pvalue) if logs.any() else 1.0,
    }


def over_all(runs: dict[str, dict[str, list[dict[str, Any]]]]) -> dict[str, dict[str, Any]]:
    """The pairs of all tasks together, and those of `held` by a third of its targets."""
    logs = {name: np.concatenate([_logs(of_task, name) for of_task in runs.values()]) for name in BALANCES}
    found = {name: paired(values) for name, values in logs.items() if name != "fixed"}
    targets = np.array([target(task, index) for task, of_task in runs.items() for index in range(len(of_task["held"]))])
    ends = np.linspace(*TARGETS_DRAWN, 4)
    for low, high in itertools.pairwise(ends):
        inside = logs["held"][(targets >= low) & (targets < high)]
        if len(inside):
            found[f"held {low:.2f} to {high:.2f}"] = paired(inside)
    return found


def _logs(of_task: dict[str, list[dict[str, Any]]], name: str) -> np.ndarray:
    return np.log(
        [one["distance"] / fixed["distance"] for one, fixed in zip(of_task[name], of_task["fixed"], strict=True)]
    )


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
    parser.add_argument("--configurations", type=int, nargs="+", default=[40], help="of each task, or of all")
    parser.add_argument("--out", type=Path, default=Path("results/balance"))
    parser.add_argument("--quick", action="store_true", help="a few short runs that say nothing but that all works")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.quick:
        with tempfile.TemporaryDirectory() as folder:
            conclude(dict.fromkeys(options.tasks, QUICK["configurations"]), Path(folder), QUICK["updates"])
    else:
        counts = options.configurations * (len(options.tasks) if len(options.configurations) == 1 else 1)
        conclude(dict(zip(options.tasks, counts, strict=True)), options.out, None)


def conclude(configurations: dict[str, int], out: Path, updates: int | None) -> None:
    """Trains the missing runs of so many configurations of each task, then prints the table."""
    out.mkdir(parents=True, exist_ok=True)
    paths = {
        (task, index, name): out / f"{task}-{index:03d}-{name}.json"
        for index in range(max(configurations.values()))
        for task, count in configurations.items()
        for name in BALANCES
        if index < count
    }
    for (task, index, name), path in paths.items():
        if not path.exists():
            run(task, index, name, path, updates)
            print(path.stem, flush=True)
    runs = {
        task: {name: [json.loads(paths[task, index, name].read_text()) for index in range(count)] for name in BALANCES}
        for task, count in configurations.items()
    }
    found = {task: table_of(of_task) for task, of_task in runs.items()}
    together = over_all(runs)
    for task, table in [*found.items(), ("all", together)]:
        for name, entry in table.items():
            print(task, name, json.dumps({k: np.round(v, 4).tolist() for k, v in entry.items()}))
    # Shortened runs have no targets.
    targets = {"held": {"median_ratio": 1.0, "wilcoxon_p": 0.05}} if updates is None else {}
    ok = all(together[name][figure] < below for name, of in targets.items() for figure, below in of.items())
    figures = {**found, "all": together}
    print(json.dumps({"benchmark": "balance", "figures": figures, "targets": {"all": targets}, "ok": ok}))


if __name__ == "__main__":
    main()
