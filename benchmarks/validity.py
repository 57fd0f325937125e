"""Measures how well the stability score and naive measures predict which runs of validity_runs.py end well.

    python benchmarks/validity.py [--tables results/reference/validity] [--quick]
    python benchmarks/validity.py --bands                    # and of the balanced runs the bands of the report

For each task, and from the first 25, 50 and 100% of the updates after pretraining: AUROC of each score for the best
quarter of the runs by final distance, AUROC of the verdict (by how bad it is) for the worst quarter, and Spearman's
correlation of the score with the distance. Then the same with weights and thresholds fitted on two tasks for the third,
and what stopping runs that are beyond hope would have cost and saved. `--quick` leaves out the fits.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import math
import operator
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from gansearch.stability import verdict
from gansearch.stability.band import MEASURES, band_of
from gansearch.stability.classes import ClassRuling
from gansearch.stability.observer import Observation
from gansearch.stability.referee import Ruling
from gansearch.stability.report import judge
from gansearch.stability.window import Window

TARGETS = {
    "auroc_good_at_end": 0.90,
    "spearman_at_end": -0.75,
    "auroc_good_at_quarter": 0.85,
    "false_alarms": 0.01,
    "saved_of_bad": 0.40,
}
NAIVE: dict[str, Callable[[Any], float]] = {
    "1 - saturation": lambda report: 1 - report.saturated_right - report.saturated_wrong,
    "-separability": lambda report: -report.separability,
    "-|separability - .8|": lambda report: -abs(report.separability - 0.8),
    "-accuracy": lambda report: -report.accuracy,
    "-|accuracy - .6|": lambda report: -abs(report.accuracy - 0.6),
}
THRESHOLDS = {
    "SATURATED": (0.3, 0.5, 0.7),
    "FOOLED": (0.1, 0.2, 0.4),
    "BEHIND": (0.25, 0.35, 0.45),
    "APART": (0.15, 0.2, 0.25, 0.3, 0.4),
    "HOPPING": (0.3, 0.4, 0.5, 0.6, 0.7),
    "COLLAPSED": (0.2, 0.3, 0.4, 0.5),
    "GAP": (0.2, 0.3, 0.4),
    "SWING": (0.05, 0.1, 0.15),
}
BANDS = Path(__file__).parents[1] / "gansearch/stability/healthy.json"
RULED = ("referee", "apart", "diversity", "distinctness")
WEIGHTS = [w for w in itertools.product([i / 10 for i in range(11)], repeat=3) if math.isclose(sum(w), 1)]


@dataclass(frozen=True)
class Run:
    """One run as it was at a stage."""

    task: str
    distance: float
    rows: list[Window]
    since: int
    ruling: Ruling | None
    pretrain_steps: int
    updates: int

    @functools.cached_property
    def scored(self) -> Window:
        return functools.reduce(operator.add, self._scored_rows)

    @functools.cached_property
    def swing(self) -> float:
        return self.scored.swing

    @property
    def _scored_rows(self) -> list[Window]:
        return [row for row in self.rows if row.step > self.since] or self.rows[-1:]

    def badness(self) -> int:
        """How bad the verdict is by the present thresholds; the worst is the largest."""
        return -verdict.VERDICTS.index(judge(self.rows, self.since, self.ruling).verdict)


def read(folder: Path) -> Iterator[tuple[float, Run]]:
    """(stage, run) of every run and stage."""
    looks, rows = pd.read_parquet(folder / "runs.parquet"), pd.read_parquet(folder / "rows.parquet")
    counts = ("real_high", "real_low", "fake_high", "fake_low")
    windows: dict[tuple[Any, ...], list[Window]] = {}
    for row in rows.to_dict("records"):
        key = row.pop("task"), row.pop("index"), row.pop("seed")
        shares = {name: tuple(row.pop(f"{name}_{i}") for i in range(3)) for name in counts}
        row.setdefault("separability_square", row["separability"] ** 2 / row["probes"])  # runs of earlier versions
        windows.setdefault(key, []).append(Window(**row, **shares))
    for look in looks.to_dict("records"):
        known = windows[look["task"], look["index"], look["seed"]]
        before = look["pretrain_steps"] + int(np.nan_to_num(look.get("d_start", 0.0)))  # of runs with pairs
        until = look["until"]
        judged = math.isfinite(look["referee"])
        observation = Observation(look["observer"], look["observed"], told_from=look["told_from"])
        yield (
            look["stage"],
            Run(
                task=look["task"],
                distance=look["distance"] if math.isfinite(look["distance"]) else math.inf,
                rows=[row for row in known if row.step <= until],
                since=int((until + min(before, until)) / 2),
                ruling=replace(Ruling(*(look[name] for name in RULED), observation), classes=classes_of(look))
                if judged
                else None,
                pretrain_steps=before,
                updates=look["updates"],
            ),
        )


def classes_of(look: dict[str, Any]) -> tuple[ClassRuling, ...]:
    """The ruling on all classes together, as validity_runs.py writes it; () of a task without classes."""
    if not look.get("class_count", 0) > 0:
        return ()
    names = ("count", "apart", "diversity", "distinctness", "hits", "expected", "chance")
    return (ClassRuling(label=0, name="all", **{name: look[f"class_{name}"] for name in names}),)


def good(rank: pd.Series, score: pd.Series) -> float:
    """AUROC of a score for the best quarter."""
    return float(roc_auc_score(rank <= 0.25, score))


def bad(rank: pd.Series, badness: pd.Series) -> float:
    """AUROC of badness for the worst quarter."""
    return float(roc_auc_score(rank > 0.75, badness))


def correlation(rank: pd.Series, score: pd.Series) -> float:
    return float(spearmanr(score, rank)[0])


def table(runs: list[Run]) -> pd.DataFrame:
    """A row a run: its rank by distance within its task, its scores and the three terms of the stability score."""
    frame = pd.DataFrame([_scores(run) for run in runs])
    return frame.assign(rank=frame.groupby("task")["distance"].rank(pct=True))


def _scores(run: Run) -> dict[str, Any]:
    report = judge(run.rows, run.since, run.ruling)
    told = 1.0 if run.ruling is None else 2 * max(run.ruling.separability, 0.5) - 1
    return {
        "task": run.task,
        "distance": run.distance,
        "stability": report.stability,
        "badness": run.badness(),
        "terms": (
            1.0 if run.ruling is None else run.ruling.apart,
            told**2,
            report.saturated_right + report.saturated_wrong,
        ),
        **{name: measure(report) for name, measure in NAIVE.items()},
    }


def figures(runs: pd.DataFrame) -> dict[str, Any]:
    """Of one task at one stage: (AUROC for good, Spearman) of each score, and the verdict's AUROC for bad."""
    rank = runs["rank"]
    found: dict[str, Any] = {"runs": len(runs), "verdict_bad": round(bad(rank, runs["badness"]), 3)}
    for name in ["stability", *NAIVE]:
        found[name] = (round(good(rank, runs[name]), 3), round(correlation(rank, runs[name]), 3))
    return found


def weighted(runs: pd.DataFrame, weights: tuple[float, ...]) -> pd.Series:
    return runs["terms"].map(lambda terms: 1 - float(np.dot(weights, terms)))


def fitted_weights(runs: pd.DataFrame) -> tuple[float, ...]:
    """The weights with the highest sum of AUROC for good and |Spearman|, averaged over the tasks."""

    def quality(weights: tuple[float, ...]) -> float:
        parts = [(part["rank"], weighted(part, weights)) for _, part in runs.groupby("task")]
        return statistics.mean(good(*part) - correlation(*part) for part in parts)

    return max(WEIGHTS, key=quality)


def fitted_thresholds(runs: list[Run]) -> dict[str, float]:
    """Thresholds with the highest mean AUROC of the verdict for bad, chosen one at a time, in two rounds."""
    ranks = table(runs)[["task", "rank"]]

    def quality(thresholds: dict[str, float]) -> float:
        with mock.patch.multiple(verdict, **thresholds):
            frame = ranks.assign(badness=[run.badness() for run in runs])
        return statistics.mean(bad(part["rank"], part["badness"]) for _, part in frame.groupby("task"))

    chosen = {name: getattr(verdict, name) for name in THRESHOLDS}
    for _ in range(2):
        for name, values in THRESHOLDS.items():
            chosen[name] = max(values, key=lambda value: quality({**chosen, name: value}))
    return chosen


def left_out(runs: list[Run], task: str) -> dict[str, Any]:
    """Returns the figures of this task by weights and thresholds fitted on the other tasks, at the end of training."""
    others, own = [run for run in runs if run.task != task], [run for run in runs if run.task == task]
    weights, thresholds = fitted_weights(table(others)), fitted_thresholds(others)
    frame = table(own)
    score = weighted(frame, weights)
    with mock.patch.multiple(verdict, **thresholds):
        badness = pd.Series([run.badness() for run in own])
    return {
        "stability": (round(good(frame["rank"], score), 3), round(correlation(frame["rank"], score), 3)),
        "verdict_bad": round(bad(frame["rank"], badness), 3),
        "weights": weights,
        "thresholds": thresholds,
    }


def hope(runs: list[Run], only: str | None = None) -> dict[str, float]:
    """Of runs stopped when beyond hope: how many end in the best quarter, and the share of bad runs' updates saved."""
    ranks = table(runs)["rank"]
    stopped = alarms = 0
    saved = burnt = 0.0
    for run, rank in zip(runs, ranks, strict=True):
        if only not in (None, run.task):
            continue
        rows = [row for row in run.rows if row.step > run.pretrain_steps or row.invalid]
        budget = run.updates - run.pretrain_steps
        burnt += run.updates if rank > 0.75 else 0
        for count in range(1, len(rows)):
            at = rows[count - 1].step
            if verdict.hopeless(rows[:count], (at - run.pretrain_steps) / budget):
                stopped += 1
                alarms += rank <= 0.25
                saved += run.updates - at if rank > 0.75 else 0
                break
    return {
        "stopped": stopped,
        "false_alarms": round(alarms / max(stopped, 1), 4),
        "saved_of_bad": round(saved / burnt, 3),
    }


def fitted_hope(runs: list[Run]) -> tuple[tuple[float, float], ...]:
    """Returns the distances beyond hope that save most updates of bad runs, with at most 1% of false alarms."""

    def saved(hopeless: tuple[tuple[float, float], ...]) -> float:
        with mock.patch.object(verdict, "HOPELESS", hopeless):
            found = hope(runs)
        return found["saved_of_bad"] if found["false_alarms"] <= TARGETS["false_alarms"] else -found["false_alarms"]

    (early, _), (late, _) = verdict.HOPELESS
    return max((((early, a), (late, b)) for a in (0.55, 0.6, 0.65, 0.7) for b in (0.45, 0.5, 0.55, 0.6)), key=saved)


def bands(folder: Path) -> None:
    """Writes the band of the balanced runs of each loss, and of all of them, where the package reads it."""
    losses = pd.read_parquet(folder / "runs.parquet").query("stage == 1")["loss"].tolist()
    healthy = [
        (loss, run)
        for loss, run in zip(losses, (run for stage, run in read(folder) if stage == 1), strict=True)
        if judge(run.rows, run.since, run.ruling).verdict == "balanced"
    ]
    recorded = {}
    for loss in [*sorted(set(losses)), "all"]:
        curves = [_curves(run) for own, run in healthy if loss in (own, "all")]
        band = band_of(curves, "recorded runs")
        if band:
            ends = {name: band.ends[name].round(3).tolist() for name in MEASURES}
            recorded[loss] = {"runs": band.runs, "usual": round(band.usual, 3), **ends}
    BANDS.write_text(json.dumps(recorded) + "\n")


def _curves(run: Run) -> dict[str, np.ndarray]:
    rows = [row for row in run.rows if row.step > run.pretrain_steps]
    return {
        "share": np.array([(row.step - run.pretrain_steps) / (run.updates - run.pretrain_steps) for row in rows]),
        "p_real": np.array([row.mean_p_real for row in rows]),
        "p_fake": np.array([row.mean_p_fake for row in rows]),
        "separability": np.array([row.mean_separability for row in rows]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, default=Path("results/reference/validity"))
    parser.add_argument("--quick", action="store_true", help="without the fits")
    parser.add_argument("--bands", action="store_true", help="measure nothing; write the bands of the balanced runs")
    options = parser.parse_args()
    if options.bands:
        return bands(options.tables)
    stages: dict[float, list[Run]] = {}
    for stage, run in read(options.tables):
        stages.setdefault(round(stage, 2), []).append(run)
    found: dict[str, Any] = {}
    ok = True
    for stage, runs in stages.items():
        for task, part in table(runs).groupby("task"):
            at = f"{task} at {stage:.0%}"
            found[at] = figures(part)
            print(at, *(f"{name}: {value}" for name, value in found[at].items()), sep="\n  ")
            ours, spearman = found[at]["stability"]
            if stage == 1:
                ok &= ours >= TARGETS["auroc_good_at_end"] and spearman <= TARGETS["spearman_at_end"]
            if stage == 0.25:
                ok &= ours >= TARGETS["auroc_good_at_quarter"]
    ended = stages[1.0]
    tasks = sorted({run.task for run in ended})
    for task in [] if options.quick else tasks:
        found[f"{task} left out"] = left_out(ended, task)
        chosen = fitted_hope([run for run in ended if run.task != task])
        with mock.patch.object(verdict, "HOPELESS", chosen):
            found[f"{task} left out"]["beyond hope"] = {"thresholds": chosen, **hope(ended, task)}
        print(f"{task} left out", *found[f"{task} left out"].items(), sep="\n  ")
    found["beyond hope"] = {"all": hope(ended), **{task: hope(ended, task) for task in tasks}}
    print("beyond hope", *found["beyond hope"].items(), sep="\n  ")
    every = found["beyond hope"]["all"]
    ok &= every["false_alarms"] <= TARGETS["false_alarms"] and every["saved_of_bad"] >= TARGETS["saved_of_bad"]
    print(json.dumps({"benchmark": "validity", "figures": found, "targets": TARGETS, "ok": bool(ok)}))


if __name__ == "__main__":
    main()
