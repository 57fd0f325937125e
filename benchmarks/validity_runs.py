"""Trains the random configurations by which the stability score is judged; resumable, one file a run.

    python benchmarks/validity_runs.py [--tasks ring grid digits] [--configurations 80] [--out results/validity]
    python benchmarks/validity_runs.py --tasks table --configurations 24     # on which nothing was fitted
    python benchmarks/validity_runs.py --tasks music --configurations 24 --seeds 1   # likewise
    python benchmarks/validity_runs.py --tasks conditional --configurations 40 --seeds 1   # digits, each asked for
    python benchmarks/validity_runs.py --tasks halves --configurations 40 --seeds 1   # pairs: digits of their halves
    python benchmarks/validity_runs.py --tasks fair weather superstore ACTG175 --configurations 12  # for the trees
    python benchmarks/validity_runs.py --tables results/reference/validity      # and then the tables of what is there

Each run leaves its probes and its monitor's rows, and at 25, 50 and 100% of its updates after pretraining the referee,
the quality, D's scores of training reals, held-out reals and fakes, and samples, so that other scores can be tried
without training again.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from paired_task import Halves
from tables_data import TABLES
from torch import Tensor

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer, load_task
from gansearch.gan.data import Data, data_of
from gansearch.gan.ruling import MOST_SAMPLES
from gansearch.stability.classes import ClassRuling, by_class, within
from gansearch.stability.measures import per_sample
from gansearch.stability.observer import Observation
from gansearch.stability.referee import rule

UPDATES = {"ring": 4000, "grid": 4000, "digits": 3000, "table": 3000, "music": 1000, "conditional": 1500, "halves": 600}
UPDATES |= dict.fromkeys(("fair", "weather", "superstore", "ACTG175"), 1500)  # of tables_data.py
FITTED = ("ring", "grid", "digits")
"""Tasks by which weights and thresholds were chosen."""
FILES = {"table": "sklearn:breast_cancer", "music": "data/music"}
"""A table of scikit-learn's, and the notes that `modalities_data.py music data/music` writes."""
LOSSES = ("non_saturating", "minimax", "hinge", "wgan")
STAGES = (0.25, 0.5, 1.0)
CLASSES = tuple(
    f"class_{name}" for name in ("apart", "diversity", "distinctness", "hits", "expected", "chance", "count")
)
"""Columns of tasks with classes."""


def configuration(task: str, index: int) -> dict[str, Any]:
    """The index-th random configuration: the eight pairs of loss and R1 on or off in turn.

    Of music: within the space of experiments/music.yaml, the two losses in turn. At the rates of the others, which are
    wide enough for points in the plane, no run of sounds comes near the data.
    """
    draw = random.Random(f"{task} {index}")

    def log_uniform(low: float, high: float) -> float:
        return math.exp(draw.uniform(math.log(low), math.log(high)))

    if task == "music":
        loss = ("non_saturating", "wgan")[index % 2]
        return {
            "loss": loss,
            "r1_gamma": log_uniform(1, 100) if loss == "non_saturating" else 0.0,
            "lr": log_uniform(5e-4, 5e-3),
            "lr_ratio": log_uniform(0.3, 3),
            "update_ratio": log_uniform(0.5, 3),
            "batch_size": 32,
            "pretrain_steps": 0,
            "updates": UPDATES[task],
        }
    paired = {}
    if task == "halves":  # the weight of the reconstruction is part of the balance
        paired = {
            "reconstruction": "l1",
            "reconstruction_weight": log_uniform(0.1, 100),
            "d_start": draw.choice([0, 0, 100]),
        }
    return paired | {
        "loss": LOSSES[index % 4],
        "r1_gamma": log_uniform(0.01, 3.0) if index // 4 % 2 else 0.0,
        "lr": log_uniform(1e-4, 1e-2),
        "lr_ratio": log_uniform(0.05, 20),
        "update_ratio": log_uniform(0.2, 5),
        "batch_size": 64,
        "pretrain_steps": draw.choice([0, 0, 100] if paired else [0, 0, 200, 800]),
        "updates": UPDATES[task],
    }


def task_named(name: str) -> Task:
    """The task of these runs."""
    if name == "music":
        return load_task("audio", {"path": FILES[name], "rate": 8000, "seconds": 0.125})
    if name == "halves":
        return Halves()
    if name in TABLES:
        file = Path("data/tables") / f"{name}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(TABLES[name].read())
        return load_task("table", {"path": str(file)})
    if name == "conditional":
        return load_task("digits", {"condition": True})
    return load_task(name, {"path": FILES[name]} if name in FILES else {})


def run(task_name: str, index: int, seed: int, path: Path) -> None:
    """Trains one seed of one configuration and writes its result."""
    params = configuration(task_name, index)
    trainer = Trainer(task_named(task_name), Training(**params), seed=seed)
    stages, arrays, start = [], {}, time.perf_counter()
    before, updates = trainer.training.before, trainer.training.updates
    probes = []
    for probe in trainer.run():
        probes.append(asdict(probe))
        due = len(stages) < len(STAGES) and probe.update >= before + STAGES[len(stages)] * (updates - before)
        if due or trainer.stopped:
            stages.append(look(trainer, arrays, len(stages)))
    record = {
        "task": task_name,
        "index": index,
        "seed": seed,
        "params": params,
        "seconds": time.perf_counter() - start,
        "probes": probes,
        "rows": [asdict(row) for row in trainer.monitor.rows()],
        "stages": stages,
    }
    np.savez_compressed(path.with_suffix(".npz"), **arrays)
    path.with_suffix(".part").write_text(json.dumps(record))
    path.with_suffix(".part").rename(path)


def look(trainer: Trainer, arrays: dict[str, np.ndarray], stage: int) -> dict[str, Any]:
    """Returns the current state of the run; its samples and scores go into `arrays`."""
    result = trainer.result()
    scores = {}
    with torch.no_grad():
        data, rows = trainer.data, torch.arange(256)
        inputs = {
            "train": (data.at(rows), *data.conditions_at(rows)),
            "held_out": data.first(256),
            "fake": (torch.from_numpy(result.samples[:256]), *data.repeated(len(result.samples[:256]))),
        }
        for name, given in inputs.items():
            scores[f"{name}_{stage}"] = per_sample(trainer.discriminator(*given)).numpy()
    arrays.update(scores)
    arrays[f"samples_{stage}"] = result.samples.astype(np.float32)
    return {k: v for k, v in asdict(result).items() if k != "samples"}


def ruled(task: Task, data: Data, samples: Tensor, separability: float) -> dict[str, Any]:
    """Returns the measures of a ruling on a run's samples, its referee's separability and its observer's."""
    embedded = task.embedding(data.held_out), task.embedding(samples)
    measures = asdict(rule(separability, *embedded))
    if data.classes:
        measures |= of_classes(by_class(*embedded, *data.conditions, *data.repeated(len(samples))))
    reals = data.held_out[:MOST_SAMPLES]
    observation = task.observe(reals, samples) or Observation(separability, len(reals))
    return {
        **{name: measures[name] for name in ("apart", "diversity", "distinctness", *CLASSES) if name in measures},
        "referee": separability,
        "observer": observation.auc,
        "observed": observation.count,
        "told_from": observation.told_from,
    }


def of_classes(rulings: list[ClassRuling]) -> dict[str, float]:
    """Returns one ruling on all classes: how far they are together, the least diverse, and the one missed most."""
    missed = min(rulings, key=lambda one: (not one.misses, one.hits - one.expected))
    return {
        "class_apart": within(rulings),
        "class_diversity": min(one.diversity for one in rulings),
        "class_distinctness": min(one.distinctness for one in rulings),
        **{f"class_{name}": getattr(missed, name) for name in ("hits", "expected", "chance", "count")},
    }


def tables(runs: Path, folder: Path) -> None:
    """Writes runs.parquet, a row a run and stage, and rows.parquet, a row a run and probe, from all whole runs."""
    stages, rows = [], []
    tasks = {name: task_named(name) for name in {path.name.split("-")[0] for path in runs.glob("*.json")}}
    data = {name: data_of(task, torch.device("cpu")) for name, task in tasks.items()}
    for path in sorted(runs.glob("*.json")):
        record, arrays = json.loads(path.read_text()), np.load(path.with_suffix(".npz"))
        run = {key: record[key] for key in ("task", "index", "seed")}
        final = record["stages"][-1]["distance"]
        for number, stage in enumerate(STAGES):
            at = min(number, len(record["stages"]) - 1)  # a run that ended early does not change any more
            look, samples = record["stages"][at], torch.from_numpy(arrays[f"samples_{at}"])
            separability = look["referee_gap"] + look["separability"]
            judged = samples.isfinite().all() and math.isfinite(separability)
            ruling = ruled(tasks[record["task"]], data[record["task"]], samples, separability) if judged else {}
            stages.append(
                run
                | {"stage": stage, "until": look["updates"], "distance_then": look["distance"], "distance": final}
                | ruling
                | record["params"]
                | {"seconds": record["seconds"]}
            )
        for row in record["rows"]:
            flat = {k: v for k, v in row.items() if not isinstance(v, list)}
            flat |= {f"{k}_{i}": share for k, v in row.items() if isinstance(v, list) for i, share in enumerate(v)}
            rows.append(run | flat)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in (("runs", stages), ("rows", rows)):
        frame = pd.DataFrame(table)
        floats = frame.select_dtypes("float64").columns
        frame = frame.astype(dict.fromkeys(floats, "float32")).astype({"task": "category"})
        frame.to_parquet(folder / f"{name}.parquet", compression="zstd")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(FITTED), choices=list(UPDATES))
    parser.add_argument("--configurations", type=int, default=80)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("results/validity"))
    parser.add_argument("--tables", type=Path, metavar="DIR", help="train nothing; write the tables of the runs there")
    options = parser.parse_args()
    if options.tables:
        return tables(options.out, options.tables)
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    for index in range(options.configurations):
        for task in options.tasks:
            for seed in range(options.seeds):
                path = options.out / f"{task}-{index:03d}-{seed}.json"
                if not path.exists():
                    run(task, index, seed, path)
                    print(path.name, flush=True)


if __name__ == "__main__":
    main()
