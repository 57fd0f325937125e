"""Trains random configurations of five experiments, for searches to be replayed on; resumable, one file a run.

    python benchmarks/modalities_data.py music data/music                   # the notes, once
    python benchmarks/search_runs.py [--tasks ring grid digits table music] [--configurations 200]
    python benchmarks/search_runs.py --tables results/reference/landscapes  # adds what is there to these tables
    python benchmarks/search_runs.py --prior results/reference/landscapes   # and of these the prior of the sampler

Runs that results/reference/landscapes has are not trained again: it has a seed of every configuration, and the other
three of 29 to 31 of every task's 50. results/reference/search has earlier runs of three tasks, of one seed each.

A run is one seed of one configuration of the experiment's own space, trained to its end: every configuration has one
seed, every fourth one four. Digits and music have fewer updates than in experiments/, so that a run takes five to ten
seconds. Stability and distance are recorded before the first update, after each tenth of all updates, and after each
tenth and the first eighths of those after pretraining; at each probe it is recorded whether the run is beyond hope.
`seconds` are the processor time of updates and probes, `end_seconds` that of what is measured at the end.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import torch

from gansearch.experiment import Experiment
from gansearch.gan import Trainer, load_task
from gansearch.search.sampling.space import SearchSpace
from gansearch.stability.verdict import hopeless

CHANGES: dict[str, dict[str, Any]] = {
    "ring": {},
    "grid": {},
    "digits": {"training": {"updates": 1000}, "search": {"pretrain_steps": {"low": 0, "high": 400}}},
    "table": {"task_options": {"path": "sklearn:breast_cancer"}},
    "music": {"task_options": {"path": "data/music", "seconds": 0.125}, "training": {"updates": 1000}},
}
"""What of each experiment in experiments/ is another here."""
TASKS = tuple(CHANGES)
SHARES = sorted({i / 10 for i in range(10)} | {i / 8 for i in range(1, 4)})
RECORDED = Path(__file__).parents[1] / "results/reference/landscapes"
PRIOR = Path(__file__).parents[1] / "gansearch/search/sampling/prior.json"
SEEDS, EVERY = 4, 4
"""Seeds of every fourth configuration; the others have one."""


def experiment_of(task: str) -> Experiment:
    """Returns the experiment of a task's runs."""
    experiment = Experiment.load(Path(__file__).parents[1] / "experiments" / f"{task}.yaml")
    sections = json.loads(experiment.model_dump_json(exclude_unset=True))
    for name, change in CHANGES[task].items():
        sections[name] = {**sections[name], **change}
    return Experiment.model_validate(sections)


def configuration(experiment: Experiment, index: int) -> dict[str, Any]:
    """Returns the index-th random configuration of the experiment's space."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=index))
    space = SearchSpace(experiment)
    return space.params(space.ask(study).params)


def run(task: str, index: int, seed: int, path: Path) -> None:
    """Trains one seed of one configuration and writes its intermediate results and the final one."""
    experiment = experiment_of(task)
    chosen = configuration(experiment, index)
    built = load_task(experiment.task, experiment.task_options)
    trainer = Trainer(built, experiment.training.with_params(chosen), seed=100 * index + seed)
    before, updates = trainer.training.pretrain_steps, trainer.training.updates
    due = {round(s * updates) for s in SHARES if s * 10 % 1 == 0}
    due = sorted(due | {before + round(s * (updates - before)) for s in SHARES})
    looks: list[dict[str, float]] = []
    beyond = math.nan
    start = time.process_time()
    for probe in trainer.run():
        if due and probe.update >= due[0] and probe.update < updates and not trainer.stopped:
            due = [at for at in due if at > probe.update]
            stability, distance = trainer.standing()
            looks.append({"update": probe.update, "stability": stability, "distance": distance})
        if math.isnan(beyond) and probe.update > before:
            rows = [row for row in trainer.monitor.rows() if row.step > before or row.invalid]
            beyond = float(probe.update) if hopeless(rows, trainer.share) else math.nan
    trained = time.process_time()
    result = trainer.result()
    end = {name: getattr(result, name) for name in ("status", "verdict", "stability", "distance", "updates")}
    record = {
        "index": index,
        "seed": seed,
        **chosen,
        **end,
        "beyond_hope_at": beyond,
        **{f"quality_{name}": value for name, value in result.quality.items() if name != "distance"},
        "seconds": trained - start,
        "end_seconds": time.process_time() - trained,
        "looks": looks,
    }
    path.with_suffix(".part").write_text(json.dumps(record))
    path.with_suffix(".part").rename(path)


def tables(runs: Path, folder: Path) -> None:
    """Writes TASK-runs.parquet, a row a run, and TASK-looks.parquet, a row a look, of the tasks that have runs."""
    folder.mkdir(parents=True, exist_ok=True)
    for task in TASKS:
        records = [json.loads(path.read_text()) for path in sorted(runs.glob(f"{task}-*.json"))]
        if not records:
            continue
        keys = ("index", "seed")
        looks = [{**{k: record[k] for k in keys}, **look} for record in records for look in record.pop("looks")]
        for name, table in (("runs", records), ("looks", looks)):
            frame = pd.DataFrame(table)
            frame = frame.astype(dict.fromkeys(frame.select_dtypes("float64").columns, "float32"))
            path = folder / f"{task}-{name}.parquet"
            if path.exists():
                frame = pd.concat([pd.read_parquet(path), frame], ignore_index=True)
            unique = [*keys, "update"] if name == "looks" else [*keys]
            frame = frame.drop_duplicates(unique, keep="last").sort_values(unique)
            frame.to_parquet(path, compression="zstd", index=False)


def recorded(task: str) -> set[tuple[int, int]]:
    """The (configuration, seed) of the runs that the repository has."""
    path = RECORDED / f"{task}-runs.parquet"
    if not path.exists():
        return set()
    runs = pd.read_parquet(path, columns=["index", "seed"])
    return set(zip(runs["index"].tolist(), runs["seed"].tolist(), strict=True))


def prior(folder: Path) -> None:
    """Writes the sampler's prior: of each task the tenth of its configurations that is nearest and healthy."""
    best = []
    for task in TASKS:
        runs = pd.read_parquet(folder / f"{task}-runs.parquet")
        experiment = experiment_of(task)
        fixed = {name: experiment.training.used(name) for name in ("pretrain_steps", "update_ratio")}
        healthy = runs.groupby("index")["verdict"].agg(lambda verdicts: bool((verdicts == "balanced").all()))
        medians = runs.groupby("index")["distance"].median()[healthy].nsmallest(len(healthy) // 10)
        chosen = runs.drop_duplicates("index").set_index("index").loc[medians.index, list(experiment.search)]
        rows = [_with_rates(fixed | row) for row in chosen.to_dict("records")]
        best += [{"task": experiment.task, "params": row} for row in rows]
    PRIOR.write_text("[\n" + ",\n".join(json.dumps(run) for run in best) + "\n]\n")


def _with_rates(row: dict[str, Any]) -> dict[str, Any]:
    """The parameters in four digits, and the rate of each network by its own name."""
    root = math.sqrt(row["lr_ratio"])
    row = {**row, "lr_d": row["lr"] * root, "lr_g": row["lr"] / root}
    return {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in row.items()}


def main() -> None:
    """Trains what is not there yet, or writes the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS)
    parser.add_argument("--configurations", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("results/search"))
    parser.add_argument("--tables", type=Path, metavar="DIR", help="train nothing; write the tables of the runs there")
    parser.add_argument("--prior", type=Path, metavar="DIR", help="train nothing; write the prior of the tables there")
    options = parser.parse_args()
    if options.prior:
        return prior(options.prior)
    if options.tables:
        return tables(options.out, options.tables)
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    known = {task: recorded(task) for task in options.tasks}
    for index in range(options.configurations):
        for task in options.tasks:
            for seed in range(SEEDS if index % EVERY == 0 else 1):
                path = options.out / f"{task}-{index:03d}-{seed}.json"
                if not path.exists() and (index, seed) not in known[task]:
                    run(task, index, seed, path)
                    print(path.name, flush=True)


if __name__ == "__main__":
    main()
