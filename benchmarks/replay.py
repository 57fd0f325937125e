"""Whole sweeps in seconds: searches replayed on landscapes fitted to recorded runs (search_runs.py).

    python benchmarks/replay.py [--tasks ring ...] [--kinds trees process] [--searches hand ...] [--sweeps 200]
    python benchmarks/replay.py --only interval      # or outlook, racing, foretold, efficiency
    python benchmarks/replay.py --quick

`efficiency`: each search's sweeps on two asynchronous slots, and what they export after 12 to 100 trainings, all that
is trained counted: the ratio of the exported configuration's true median distance to that of a script of an afternoon
(replay_anchors.py), which exports the smallest distance of a single seed; the share of unhealthy exports; seconds; and
the trainings until an export is as near as what random search exports after 50. A sweep has the same seeds for each
search. Intervals are of 90%, by resampling of sweeps: the landscapes are taken as they are. Sweeps that are done are
kept in --out, a line each, and not repeated while the recorded runs are the same.

`foretold`: what the landscapes foretell of runs that they were not fitted to, and their draws beside recorded runs.

`interval`: how often the 95% prediction interval that a sweep states holds the median of ten new seeds.

`outlook`: what 20 more trials were expected to bring and brought, and where `trials: auto` ends.

`racing`: seeds a trial, and the median distance of what is chosen among 48 random configurations, where each trains one
seed, four, or up to four that it earns.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import optuna.samplers._tpe._truncnorm as truncnorm
from replay_anchors import ANCHORS
from replay_figures import Sweeps, summary, table
from replay_foretold import foretold
from replay_landscape import KINDS, Landscape, read_runs
from replay_outlook import outlook
from replay_searches import PRODUCTS
from replay_seeds import interval, racing
from replay_sweep import BUDGETS, Exported, sweep
from scipy.special import log_ndtr
from search_runs import TASKS

# Optuna's own loops over the elements in Python, for two fifths of the time of a replay.
truncnorm._log_ndtr = log_ndtr

RUNS = Path(__file__).parents[1] / "results/reference/landscapes"
SEARCHES = {**ANCHORS, **PRODUCTS}
SLOW = {"hand_gp"}
"""A suggestion takes a tenth of a second and more: replayed where asked for."""
OURS = "gansearch"
TARGETS = {"all": 0.93, "task": 1.05, "half": 1.0, "unhealthy": 0.05, "covered": 0.9}
"""Most, but for `covered`."""
JUDGED = (25, 50, 100)
"""Trainings at which the targets are to hold."""
PARTS = {
    "foretold": lambda land, sweeps: foretold(land),
    "interval": interval,
    "outlook": outlook,
    "racing": racing,
}
SWEEPS = {"efficiency": 200, "foretold": 1, "interval": 100, "outlook": 12, "racing": 20}
"""By part."""


class Results:
    """Sweeps that are done, in a file for each task, kind of landscape and search."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, land: Landscape, kind: str, name: str, budgets: Sequence[float]) -> Sweeps:
        """Those on a landscape of the same runs that have all these budgets, by number."""
        try:
            lines = [json.loads(line) for line in self._path(land, kind, name).read_text().splitlines()]
        except FileNotFoundError:
            return {}
        same = [line for line in lines if line["runs"] == _fingerprint(land)]
        found = {line["sweep"]: [Exported(**exported) for exported in line["exported"]] for line in same}
        return {number: sweep for number, sweep in found.items() if {*budgets} <= {one.budget for one in sweep}}

    def add(self, land: Landscape, kind: str, name: str, number: int, exported: Sequence[Exported]) -> None:
        line = {"sweep": number, "runs": _fingerprint(land), "exported": [asdict(one) for one in exported]}
        with self._path(land, kind, name).open("a") as file:
            file.write(json.dumps(line) + "\n")

    def _path(self, land: Landscape, kind: str, name: str) -> Path:
        return self.folder / f"{land.task}-{kind}-{name}.jsonl"


def _fingerprint(land: Landscape) -> int:
    return zlib.crc32(land.logs.tobytes() + land.points.tobytes())


def efficiency(
    lands: Sequence[Landscape], kind: str, names: Sequence[str], sweeps: int, results: Results, budgets: Sequence[float]
) -> dict[str, Any]:
    """Replays what is not done yet, the first sweep of all searches on all tasks first, and returns the figures."""
    done = {land.task: {name: dict(results.read(land, kind, name, budgets)) for name in names} for land in lands}
    for number in range(sweeps):
        for land in lands:
            for name in names:
                if number not in done[land.task][name]:
                    exported = sweep(land, SEARCHES[name](land, number), number, budgets)
                    results.add(land, kind, name, number, exported)
                    done[land.task][name][number] = exported
    return summary(done, budgets)


def unmet(figures: dict[str, Any]) -> Iterator[str]:
    """The targets that gansearch's search misses, each with its figure."""
    for kind in KINDS:
        for label, values in figures.get(kind, {}).get(OURS, {}).items():
            if label == "sweeps":
                continue
            most = {f"at_{budget}": TARGETS["all" if label == "all" else "task"] for budget in JUDGED}
            if label == "all":
                most |= {f"half_of_{budget}": TARGETS["half"] for budget in JUDGED}
                most |= {f"unhealthy_{budget}": TARGETS["unhealthy"] for budget in JUDGED}
            for name in most.keys() & values.keys():
                value = values[name][0] if isinstance(values[name], list) else values[name]
                if value > most[name]:
                    yield f"{kind} {label} {name}: {value}"
    for task, of in figures.items():
        if of.get("covered", 1.0) < TARGETS["covered"]:
            yield f"{task} covered: {of['covered']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, help="those that have runs, unless it is given")
    parser.add_argument("--kinds", nargs="+", default=["trees"], choices=list(KINDS), help="of landscapes")
    fast = [name for name in SEARCHES if name not in SLOW]
    parser.add_argument("--searches", nargs="+", default=fast, choices=list(SEARCHES))
    parser.add_argument("--sweeps", type=int, help=f"of each search (default: {SWEEPS})")
    parser.add_argument("--budgets", nargs="+", type=int, default=BUDGETS, help="trainings after which a sweep exports")
    parser.add_argument("--only", default="efficiency", choices=list(SWEEPS), help="which part (default: efficiency)")
    parser.add_argument("--runs", type=Path, default=RUNS, help="the folder of the tables")
    parser.add_argument(
        "--out", type=Path, default=Path("results/replay"), help="the folder of the sweeps that are done"
    )
    parser.add_argument("--quick", action="store_true", help="two short sweeps of one task, to see that all works")
    options = parser.parse_args()
    tasks = options.tasks or [task for task in TASKS if (options.runs / f"{task}-runs.parquet").exists()]
    budgets: Sequence[float] = sorted(options.budgets)
    options.sweeps = options.sweeps or SWEEPS[options.only]
    with tempfile.TemporaryDirectory() as folder:
        if options.quick:
            tasks, options.sweeps, budgets, options.out = ["ring"], 2, (12, 25), Path(folder)
            options.searches = ["hand", "random", OURS]
        figures = _figures(options, tasks, budgets)
    missed = sorted(unmet(figures))
    report = {"benchmark": "replay", "figures": figures, "targets": TARGETS, "missed": missed, "ok": not missed}
    print(json.dumps(report))


def _figures(options: argparse.Namespace, tasks: Sequence[str], budgets: Sequence[float]) -> dict[str, Any]:
    runs = {task: read_runs(task, options.runs) for task in tasks}
    figures: dict[str, Any] = {}
    for kind in options.kinds:
        lands = [KINDS[kind](task, runs[task]) for task in tasks]
        if options.only == "efficiency":
            names = list(dict.fromkeys(["hand", *options.searches]))
            figures[kind] = efficiency(lands, kind, names, options.sweeps, Results(options.out), budgets)
            print(f"{kind}:\n{table(figures[kind], tasks, budgets)}", flush=True)
            continue
        for land in lands:
            part = PARTS[options.only]
            found = figures[f"{kind} {land.task}"] = part(land, options.sweeps)
            print(kind, land.task, json.dumps(found), flush=True)
    return figures


if __name__ == "__main__":
    main()
