"""How well the stability score tells which runs end well, beside naive measures, on the runs of validity_runs.py.

    python benchmarks/validity_runs.py      # first; hours on one core, resumable
    python benchmarks/validity.py [--runs results/validity] [--quick]

For each task and share of the updates: AUROC of each score for the best quarter of runs by final distance, AUROC of
1 − score for the worst quarter, and Spearman's correlation with the distance. `--quick` looks at the end alone.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from gansearch.gan import load_task
from gansearch.gan.data import data_of
from gansearch.stability.referee import rule
from gansearch.stability.report import judge
from gansearch.stability.window import Window

STAGES = (0.25, 0.5, 1.0)
TARGETS = {"auroc_good_at_end": 0.90, "spearman_at_end": -0.75}
NAIVE = {
    "1 - saturation": lambda report: 1 - report.saturated_right - report.saturated_wrong,
    "-separability": lambda report: -report.separability,
    "-|separability - .8|": lambda report: -abs(report.separability - 0.8),
    "-|accuracy - .6|": lambda report: -abs(report.accuracy - 0.6),
}


def scores(path: Path, stage: int) -> dict[str, Any]:
    """A run's task, final distance, verdict and scores as they were at a stage."""
    record, arrays = json.loads(path.read_text()), np.load(path.with_suffix(".npz"))
    stage = min(stage, len(record["stages"]) - 1)
    params, look = record["params"], record["stages"][stage]
    rows = [Window(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}) for row in record["rows"]]
    until = max(STAGES[stage] * params["updates"], rows[0].step)
    held_out = data_of(load_task(record["task"]), torch.device("cpu")).held_out
    samples = torch.from_numpy(arrays[f"samples_{stage}"])
    separability = look["referee_gap"] + look["separability"]
    ruling = rule(separability, held_out, samples) if samples.isfinite().all() and np.isfinite(separability) else None
    since = (until + min(params["pretrain_steps"], until)) / 2
    report = judge([row for row in rows if row.step <= until], int(since), ruling)
    last = record["stages"][-1]
    return {
        "task": record["task"],
        "distance": last["distance"] if np.isfinite(last["distance"]) else np.inf,
        "verdict": report.verdict,
        "stability": report.stability,
        **{name: measure(report) for name, measure in NAIVE.items()},
    }


def figures(runs: pd.DataFrame, name: str) -> dict[str, float]:
    """AUROC for the best quarter, for the worst, and Spearman, of one column."""
    rank = runs["distance"].rank(pct=True)
    score = runs[name].fillna(runs[name].min())
    return {
        "good": round(float(roc_auc_score(rank <= 0.25, score)), 3),
        "bad": round(float(roc_auc_score(rank > 0.75, -score)), 3),
        "spearman": round(float(spearmanr(score, rank)[0]), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("results/validity"))
    parser.add_argument("--quick", action="store_true", help="the end of training alone")
    options = parser.parse_args()
    paths = sorted(options.runs.glob("*.json"))
    found: dict[str, Any] = {}
    ok = bool(paths)
    for stage in [2] if options.quick else range(3):
        table = pd.DataFrame([scores(path, stage) for path in paths])
        for task, runs in table.groupby("task"):
            at = f"{task} at {STAGES[stage]:.0%}"
            found[at] = {"runs": len(runs)} | {name: figures(runs, name) for name in ["stability", *NAIVE]}
            unhealthy = -(runs["verdict"] != "balanced").astype(float)
            found[at]["verdict_bad"] = figures(runs.assign(unhealthy=unhealthy), "unhealthy")["bad"]
            print(at, *(f"{name}: {value}" for name, value in found[at].items()), sep="\n  ")
            if stage == 2:
                ours = found[at]["stability"]
                ok &= ours["good"] >= TARGETS["auroc_good_at_end"] and ours["spearman"] <= TARGETS["spearman_at_end"]
    print(json.dumps({"benchmark": "validity", "figures": found, "targets": TARGETS, "ok": ok}))


if __name__ == "__main__":
    main()
