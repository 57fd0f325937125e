"""Compares what sweeps of images, music, speech, prose and tables find with the hyperparameters of a paper.

    python benchmarks/modalities.py [--only NAME] [--out results/modalities] [--quick]

Each is a sweep of experiments/NAME.yaml, over data that modalities_data.py makes; then its export, and the paper's
values on the same networks, batch size and budget of updates, are trained on the same three fresh seeds. Where no
trial was healthy, the closest one is trained. Results in the folder are not computed again. A ratio of distances below
1 means that the sweep's configuration is better.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_AUTH_MODE", "disabled")

from modalities_data import KINDS, Missing

from gansearch import Experiment, load_study, sweep, train

ROOT = Path(__file__).parents[1]
FRESH = 3
QUICK = ["training.updates=60", "trials=2", "confirm=null", "search.pretrain_steps=0"]

_WGAN_GP = {"loss": "wgan", "gp": 10.0, "lr_d": 1e-4, "lr_g": 1e-4, "betas": [0.5, 0.9]}
_WAVEGAN = {**_WGAN_GP, "update_ratio": 5}
PAPERS: dict[str, tuple[str, dict[str, Any]]] = {
    "images": (
        "DCGAN (Radford et al. 2016, section 4)",
        {"loss": "non_saturating", "lr_d": 2e-4, "lr_g": 2e-4, "betas": [0.5, 0.999], "update_ratio": 1},
    ),
    "music": ("WaveGAN (Donahue et al. 2019, table 5)", _WAVEGAN),
    "speech": ("WaveGAN (Donahue et al. 2019, table 5)", _WAVEGAN),
    "prose": ("WGAN-GP's language model (Gulrajani et al. 2017, code)", {**_WGAN_GP, "update_ratio": 10}),
    "table": (
        "CTGAN (Xu et al. 2019, section 4.4, and code)",
        {**_WGAN_GP, "lr_d": 2e-4, "lr_g": 2e-4, "update_ratio": 1},
    ),
}
"""The paper of each modality and its training; other fields have their defaults: no pretraining, no R1.

Of WaveGAN only the training is compared: its networks, `networks: wave`, do not learn on this budget.
"""


def experiment_of(name: str, data: Path, quick: bool) -> Experiment:
    """The shipped experiment, over the data in this folder."""
    shipped = Experiment.load(ROOT / "experiments" / f"{name}.yaml", QUICK if quick else ())
    inside = Path(shipped.task_options["path"]).relative_to(ROOT / "data")
    options = {**shipped.task_options, "path": str(data / inside)}
    return shipped.model_copy(update={"task_options": options})


def measure(name: str, out: Path, quick: bool) -> dict[str, Any]:
    """The sweep, and both configurations on fresh seeds."""
    make(name, out / "data")
    experiment = experiment_of(name, out / "data", quick)
    swept = sweep(experiment, out / name, resume=True)
    swept.export(out / f"{name}-exported.yaml", anyway=True)
    paper = experiment.model_copy(
        update={
            "training": type(experiment.training)(
                updates=experiment.training.updates, batch_size=experiment.training.batch_size, **PAPERS[name][1]
            ),
            "search": {},
        }
    )
    fresh = 1 if quick else FRESH
    found = {
        "exported": trained(Experiment.load(out / f"{name}-exported.yaml"), out / f"{name}-exported", fresh),
        "paper": trained(paper, out / f"{name}-paper", fresh),
    }
    study = load_study(out / name)
    return {
        "ratio": found["exported"]["distance"] / found["paper"]["distance"],
        **found,
        "nothing_healthy": study.best is None,
        "sweep_seconds": round(study.run["wall_seconds"]),
    }


def make(name: str, out: Path) -> None:
    """Fills a modality's folder with its data, once."""
    folder, part = out / name, out / f"{name}.part"
    if not folder.is_dir():
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        KINDS[name](part)
        part.rename(folder)


def trained(experiment: Experiment, out: Path, seeds: int) -> dict[str, Any]:
    """Trains a configuration on fresh seeds into `out` and returns the result."""
    result = train(experiment, seeds, out, resume=True)
    qualities = [seed.quality for seed in result.seeds]
    return {
        "distance": result.distance if math.isfinite(result.distance) else math.inf,
        "each": [seed.distance for seed in result.seeds],
        "balanced": result.healthy,
        "quality": {name: statistics.median(q[name] for q in qualities) for name in qualities[0]},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(PAPERS), action="append", help="one modality; may be given again")
    parser.add_argument("--out", type=Path, default=Path("results/modalities"))
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a tiny sweep, of tables alone if no --only, that says nothing but that all works",
    )
    options = parser.parse_args()
    names = options.only or (["table"] if options.quick else list(PAPERS))
    if options.quick:
        with tempfile.TemporaryDirectory() as folder:
            conclude(names, Path(folder), True)
    else:
        conclude(names, options.out.resolve(), False)


def conclude(names: list[str], out: Path, quick: bool) -> None:
    """Measures the modalities whose results are missing, and prints the table."""
    import ray

    ray.init("local", num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False, logging_level="error")
    figures: dict[str, Any] = {}
    for name in names:
        start = time.perf_counter()
        try:
            figures[name] = measure(name, out, quick)
        except Missing as error:
            print(f"{name}: left out, {error}", flush=True)
            continue
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    ray.shutdown()
    print("\n| | paper | its distance | exported | ratio | balanced, paper and exported | sweep |")
    print("|---|---|---|---|---|---|---|")
    for name, row in figures.items():
        paper, ours = row["paper"], row["exported"]
        print(
            f"| {name} | {PAPERS[name][0]} | {paper['distance']:.3g} | {ours['distance']:.3g} | {row['ratio']:.2f} | "
            f"{paper['balanced']} and {ours['balanced']} of {len(ours['each'])} | {row['sweep_seconds']} s |"
        )
    targets = {} if quick else {"ratio": 1.0}  # shortened runs have no targets
    ok = bool(figures) and (quick or all(row["ratio"] < 1 for row in figures.values()))
    print(json.dumps({"benchmark": "modalities", "figures": figures, "targets": targets, "ok": ok}))


if __name__ == "__main__":
    main()
