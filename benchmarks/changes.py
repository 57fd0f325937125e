"""Tries what the report says of one change: whether distances change as it is expected.

    python benchmarks/changes.py [--tasks ring grid digits table] [--out results/changes] [--quick]

Of each task a sweep of 32 trials is made, with its race. For five settings, the default ones and four at random, that
change is tried that the report expects to bring most: both settings are trained on three fresh seeds, and the ratio of
their median distances is compared with the interval that the report gives (90%). A setting whose median is not finite
is outside of it; in the mean ratios it counts as a million times as far as the other, or as it where both are so.
Results in the folder are not computed again. Digits have 1,000 updates here.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_AUTH_MODE", "disabled")

import torch
from search_runs import configuration, experiment_of

from gansearch import Experiment, Study, load_study, sweep
from gansearch.gan import Trainer, load_task
from gansearch.study.analysis.changes import SEEDS

TASKS = ("ring", "grid", "digits", "table")
STARTS = 5
FIRST = 1_000
"""The index of the first random setting: the landscapes' are smaller."""
FRESH = 70_000
"""Seeds that no sweep uses."""
TARGET = 0.8
"""The share of the intervals that shall hold."""
FAR = 1e6
"""The largest ratio that counts in a mean; its inverse is the smallest."""


def swept(experiment: Experiment, folder: Path) -> Study:
    """The task's sweep, which is made where it is not there yet."""
    if not (folder / "best.yaml").exists() or not (folder / "report.html").exists():
        sweep(experiment, folder, resume=True)
    return load_study(folder)


def median(experiment: Experiment, settings: dict[str, Any], seeds: int) -> float:
    """The median distance of some settings on fresh seeds; infinite where most of them diverge."""
    task, distances = load_task(experiment.task, experiment.task_options), []
    for seed in range(FRESH, FRESH + seeds):
        trainer = Trainer(task, experiment.training.with_params(settings), seed)
        for _ in trainer.run():
            pass
        distance = trainer.result().distance
        distances.append(distance if math.isfinite(distance) else math.inf)
    return statistics.median(distances)


def tried(study: Study, settings: dict[str, Any] | None, seeds: int) -> dict[str, Any] | None:
    """The first change of some settings as it is expected, and as it came; None where none is named."""
    changes = study.changes(settings)
    if not changes:
        return None
    change, experiment = changes[0], study.experiment
    own = {name: experiment.training.used(name) for name in experiment.search} if settings is None else settings
    before = median(experiment, own, seeds)
    after = median(experiment, {**own, change.name: change.after}, seeds)
    came = after / before if math.isfinite(before) else float(math.isinf(after))
    return {
        "change": f"{change.name}: {change.before} -> {change.after}",
        "expected": change.ratio,
        "interval": list(change.interval),
        "came": came,
        "holds": math.isfinite(before) and change.interval[0] <= came <= change.interval[1],
    }


def main() -> int:
    """Makes the sweeps, tries the changes, and prints them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS)
    parser.add_argument("--out", type=Path, default=Path("results/changes"))
    parser.add_argument("--quick", action="store_true", help="one change of a short sweep of the ring")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = rows(["ring"], Path(folder), True) if options.quick else rows(options.tasks, options.out, False)
    figures = figures_of(found)
    ok = options.quick or figures["holds"] >= TARGET * figures["tried"]
    print(json.dumps({"benchmark": "changes", "figures": figures, "targets": {"holds": TARGET}, "ok": ok}))
    return 0 if ok else 1


def rows(tasks: Sequence[str], out: Path, quick: bool) -> list[dict[str, Any]]:
    """The changes that were tried of each task, printed as they come; what is there is not tried again."""
    out.mkdir(parents=True, exist_ok=True)
    found = []
    for task in tasks:
        experiment = experiment_of(task).model_copy(update={"trials": 12 if quick else 32})
        if quick:
            training = experiment.training.model_copy(update={"updates": 1000})
            experiment = experiment.model_copy(update={"training": training, "confirm": None})
        study = swept(experiment, out / task)
        for start in range(1 if quick else STARTS):
            path = out / f"{task}-{start}.json"
            if not path.exists():
                settings = configuration(experiment, FIRST + start) if start else None
                row = tried(study, settings, 1 if quick else SEEDS)
                path.write_text(json.dumps(row))
            row = json.loads(path.read_text())
            if row is None:
                print(f"{task} {start}: no change is expected to bring enough", flush=True)
                continue
            found.append(row)
            low, high = row["interval"]
            print(
                f"{task} {start}: {row['change']}: expected {row['expected']:.2f} [{low:.2f}, {high:.2f}], "
                f"came {row['came']:.2f}{'' if row['holds'] else ', outside'}",
                flush=True,
            )
    return found


def figures_of(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How many intervals hold, how many changes helped, and the geometric means of what was expected and came."""

    def mean(ratios: list[float]) -> float | None:
        return math.exp(statistics.fmean(math.log(min(max(one, 1 / FAR), FAR)) for one in ratios)) if ratios else None

    return {
        "tried": len(found),
        "holds": sum(row["holds"] for row in found),
        "helped": sum(row["came"] < 1 for row in found),
        "expected": mean([row["expected"] for row in found]),
        "came": mean([row["came"] for row in found]),
    }


if __name__ == "__main__":
    raise SystemExit(main())
