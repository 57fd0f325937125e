"""Whole sweeps in seconds: searches replayed on recorded runs (search_runs.py).

    python benchmarks/replay.py [--tasks ring grid digits] [--sweeps 20] [--only PART] [--quick]

A forest of extremely randomised trees (Geurts et al. 2006) fitted to the logarithm of the final distances says what a
configuration is expected to reach, and which recorded ones it resembles. A trial of any configuration is then a
recorded run: one from the configuration's leaf in a tree drawn at random, with its whole history, and its distances
scaled by the ratio of the expected ones; another draw is another seed. So noise, verdicts and intermediate results are
those of the recorded runs. Trials are replayed one after the other.

`efficiency`: updates trained until a search's confirmed best is as good as the best of LONG random configurations.
Each search is confirmed in the same way: its best three, by its own rule, on five seeds, of which the best median is
chosen; these updates are the same for all and not counted. It is compared with random search, and with Ray Tune's ASHA
and Optuna's TPE as in OptunaSearch: one objective, the distance reported at each tenth; of a stopped trial the last.

`interval`: how often the 95% prediction interval that a sweep states holds the median of ten new seeds.

`racing`: seeds a trial, and the median distance of what is chosen among 48 random configurations, where each trains one
seed, four, or up to four that it earns.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
import pandas as pd
from ray.tune.schedulers import TrialScheduler
from ray.tune.schedulers.async_hyperband import _Bracket
from search_runs import TASKS, experiment_of
from sklearn.ensemble import ExtraTreesRegressor

from gansearch.experiment import Experiment
from gansearch.search.sampling.objective import study_of, tell
from gansearch.search.sampling.samplers import make_sampler
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.worker.halving import RUNGS, Rungs
from gansearch.search.worker.racing import Race
from gansearch.stability.result import SeedResult
from gansearch.stability.verdict import worst
from gansearch.store.confirmation import FreshSeed
from gansearch.store.record import Standing, TrialRecord, balance, median, parse
from gansearch.study.analysis.choose import candidates, choose_best

RUNS = Path(__file__).parents[1] / "results/reference/search"
LONG = 48
"""Random configurations, the best of which is to be reached."""
MOST = 2
"""Times its updates, after which a search is given up."""
TARGETS = {"over_random": 1 / 3, "over_asha": 1 / 2}
COVERED = 0.9


@dataclass(frozen=True)
class Run:
    """A recorded run."""

    end: Mapping[str, Any]
    looks: list[tuple[float, float, float]]
    """(update, stability, distance) on its way."""

    def look(self, update: float) -> tuple[float, float, float]:
        """As it was after so many updates, or at its first look."""
        return next((look for look in reversed(self.looks) if look[0] <= update), self.looks[0])

    def scaled(self, factor: float) -> Run:
        """With all its distances times a factor."""
        looks = [(update, stability, factor * distance) for update, stability, distance in self.looks]
        return Run({**self.end, "distance": factor * self.end["distance"]}, looks)


class Landscape:
    """A task as its recorded runs show it."""

    def __init__(self, task: str, folder: Path = RUNS, trees: int = 300):
        self.experiment = experiment_of(task)
        ends = pd.read_parquet(folder / f"{task}-runs.parquet")
        looks: dict[int, list[tuple[float, float, float]]] = {}
        for index, *look in pd.read_parquet(folder / f"{task}-looks.parquet").itertuples(index=False):
            looks.setdefault(int(index), []).append(tuple(look))
        self.runs = [Run(end, looks.get(int(end["index"]), [])) for end in ends.to_dict("records")]
        farthest = max(run.end["distance"] for run in self.runs if _ok(run))
        logs = np.log([run.end["distance"] if _ok(run) else farthest for run in self.runs])
        self._names = list(self.experiment.search)
        points = np.array([self._point(run.end) for run in self.runs])
        self._forest = ExtraTreesRegressor(trees, min_samples_leaf=2, max_features=0.7, random_state=0)
        self._forest.fit(points, logs)
        self._leaves = [_members(tree.apply(points.astype(np.float32))) for tree in self._forest.estimators_]
        self._expected = [tree.tree_.value[:, 0, 0].copy() for tree in self._forest.estimators_]
        self._fitted = self._forest.predict(points)
        self._left = logs - self._fitted
        self.updates = self.experiment.training.updates

    def draw(self, chosen: Mapping[str, Any], seeds: random.Random) -> Run:
        """A trial of a configuration with a seed."""
        leaves, expected = self._at(tuple(self._point(chosen)))
        tree = seeds.randrange(len(leaves))
        index = seeds.choice(self._leaves[tree][leaves[tree]])
        return self.runs[index].scaled(math.exp(expected - self._fitted[index]))

    def median(self, chosen: Mapping[str, Any]) -> float:
        """Of the distance, over all seeds."""
        leaves, expected = self._at(tuple(self._point(chosen)))
        groups = [self._leaves[tree][leaf] for tree, leaf in enumerate(leaves)]
        values = np.concatenate([self._left[group] for group in groups])
        weights = np.concatenate([np.full(len(group), 1 / len(group)) for group in groups])
        order = np.argsort(values)
        middle = values[order][np.searchsorted(np.cumsum(weights[order]), len(groups) / 2)]
        return math.exp(expected + float(middle))

    @functools.lru_cache(maxsize=100_000)  # noqa: B019 (a landscape lives as long as the benchmark)
    def _at(self, point: tuple[float, ...]) -> tuple[list[int], float]:
        """The leaf of each tree, and the expected logarithm of the distance."""
        asked = np.array([point], np.float32)
        leaves = [int(tree.tree_.apply(asked)[0]) for tree in self._forest.estimators_]
        return leaves, float(np.mean([values[leaf] for values, leaf in zip(self._expected, leaves, strict=True)]))

    def _point(self, chosen: Mapping[str, Any]) -> np.ndarray:
        logs = {name for name, entry in self.experiment.search.items() if getattr(entry, "log", False)}
        return np.array([math.log(chosen[n]) if n in logs else float(chosen[n]) for n in self._names])


def _members(leaves: np.ndarray) -> dict[int, list[int]]:
    return {int(leaf): np.flatnonzero(leaves == leaf).tolist() for leaf in np.unique(leaves)}


def _ok(run: Run) -> bool:
    return run.end["status"] == "complete" and math.isfinite(run.end["distance"])


# The searches: each yields its rows, one a trial, for ever.


def row_of(number: int, run: Run, chosen: Mapping[str, Any]) -> dict[str, Any]:
    names = ("status", "verdict", "stability", "distance", "updates")
    return {"number": number, "params": dict(chosen), **{n: run.end[n] for n in names}, **_NONE}


_NONE = {"train_seconds": 0.0, "node": "", "error": ""}
_TIME = datetime(2030, 1, 1, tzinfo=UTC)


def random_search(land: Landscape, seed: int) -> Iterator[dict[str, Any]]:
    """Trains every trial to its end."""
    yield from _search(land, land.experiment.model_copy(update={"sampler": "random"}), seed, prune=False)


def gansearch(land: Landscape, seed: int) -> Iterator[dict[str, Any]]:
    """The experiment as it is: its sampler and objective, successive halving, and trials beyond hope stopped."""
    yield from _search(land, land.experiment, seed, prune=True)


def _search(land: Landscape, experiment: Experiment, seed: int, prune: bool) -> Iterator[dict[str, Any]]:
    experiment, seeds = experiment.model_copy(update={"seed": seed}), random.Random(f"seeds {seed}")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = study_of(optuna.storages.InMemoryStorage(), "replay", experiment.objective)
    study.sampler = make_sampler(experiment)
    rungs, space = Rungs(), SearchSpace(experiment)
    while True:
        trial = space.ask(study)
        chosen = space.params(trial.params)
        run = land.draw(chosen, seeds)
        row = row_of(trial.number, run, chosen) | (_stopped(run, land.updates, rungs) if prune else {})
        tell(trial, TrialRecord(**row, started=_TIME, ended=_TIME), experiment.objective)
        yield row


def _stopped(run: Run, updates: int, rungs: Rungs) -> dict[str, Any]:
    """The row of a trial that is stopped, as gansearch.search.worker.trial makes it."""
    end, before = run.end["updates"], run.end["pretrain_steps"]
    beyond = run.end["beyond_hope_at"]
    for rung, (share, _) in enumerate(RUNGS):
        at = before + share * (updates - before)
        if at >= min(end, beyond if math.isfinite(beyond) else math.inf):
            break
        update, stability, distance = next((look for look in run.looks if look[0] >= at), run.looks[-1])
        if rungs.reach(Standing(rung, stability, distance)):
            return {"status": "pruned", "updates": update, "stability": stability, "distance": distance}
    if math.isfinite(beyond) and run.end["status"] != "failed":
        _, stability, distance = run.look(beyond)
        return {"status": "pruned", "updates": beyond, "stability": stability, "distance": distance}
    return {}


def asha(land: Landscape, seed: int) -> Iterator[dict[str, Any]]:
    """Ray Tune's ASHA with its defaults and ten reports a trial; Optuna's TPE minimises the last distance reported."""
    experiment, seeds = land.experiment, random.Random(f"seeds {seed}")
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    bracket, space, reports = _Bracket(1, 10, 4, 0), SearchSpace(experiment), 10
    farthest = max(run.end["distance"] for run in land.runs if _ok(run))
    while True:
        trial = space.ask(study)
        chosen = space.params(trial.params)
        run = land.draw(chosen, seeds)
        row = row_of(trial.number, run, chosen)
        for report in range(1, reports + 1):
            at = report / reports * land.updates
            if report == reports or at >= run.end["updates"]:
                distance, updates = run.end["distance"], run.end["updates"]
            else:
                # While D pretrains, G is as it was made: the first look is what there is.
                distance, updates = run.look(at)[2], at
            distance = distance if math.isfinite(distance) else farthest
            trial.report(distance, report)
            row |= {"distance": distance, "updates": updates}
            stop = bracket.on_result(SimpleNamespace(trial_id=trial.number), report, -distance) == TrialScheduler.STOP
            if stop or updates >= run.end["updates"]:
                break
        study.tell(trial, row["distance"])
        yield row


SEARCHES: dict[str, Callable[[Landscape, int], Iterator[dict[str, Any]]]] = {
    "random": random_search,
    "asha": asha,
    "gansearch": gansearch,
}


class Confirmed:
    """The result of a search that would end now, confirmed on the same seeds each time."""

    def __init__(self, land: Landscape, seed: int, by_distance: bool):
        self.land, self.seed, self.by_distance = land, seed, by_distance
        self._seeds: dict[int, list[Run]] = {}

    def entries(self, rows: list[dict[str, Any]], top: int = 3, replicas: int = 5) -> list[FreshSeed]:
        """A seed's result per entry, of the best by the search's own rule."""
        trials = pd.DataFrame(rows)
        numbers = (
            trials.sort_values("distance", kind="stable")["number"].tolist()[:top]
            if self.by_distance
            else candidates(trials, top)
        )
        found = []
        for number in numbers:
            if number not in self._seeds:
                draw = random.Random(f"confirm {self.seed} {number}")
                self._seeds[number] = [self.land.draw(rows[number]["params"], draw) for _ in range(replicas)]
            runs = enumerate(self._seeds[number])
            found += [parse(FreshSeed, {"number": number, "seed": i, **run.end}) for i, run in runs]
        return found

    def best(self, rows: list[dict[str, Any]]) -> int | None:
        """The number of the trial that is kept."""
        medians: dict[int, tuple[float, float]] = {}
        frame = pd.DataFrame(self.entries(rows))
        if frame.empty:
            return None
        for number, group in frame.groupby("number"):
            unhealthy = 0 if self.by_distance else (group["verdict"] != "balanced").sum()
            medians[int(number)] = (float(unhealthy), group["distance"].fillna(math.inf).median())
        best = min(medians, key=lambda number: medians[number])
        return best if self.by_distance or not medians[best][0] else None


def reach(land: Landscape, name: str, seed: int, target: float, most: float) -> float:
    """Updates until the search's confirmed best is at the target; `most` where it is not before that."""
    rows: list[dict[str, Any]] = []
    confirmed = Confirmed(land, seed, by_distance=name != "gansearch")
    spent, before = 0.0, None
    for row in SEARCHES[name](land, seed):
        rows.append(row)
        spent += row["updates"]
        if spent >= most:
            return most
        best = confirmed.best(rows)
        if best is not None and best != before and land.median(rows[best]["params"]) <= target:
            return spent
        before = best
    raise AssertionError("a search has no end")


def best_of_random(land: Landscape, seed: int) -> float:
    """The median distance, over all seeds, of the best of LONG random configurations."""
    return min(land.median(row["params"]) for row, _ in zip(random_search(land, seed), range(LONG), strict=False))


def efficiency(land: Landscape, sweeps: int) -> dict[str, Any]:
    most = MOST * LONG * land.updates
    spent = {name: [] for name in SEARCHES}
    for sweep in range(sweeps):
        target = best_of_random(land, 900_000 + sweep)
        for name in SEARCHES:
            spent[name].append(reach(land, name, 700_000 + sweep, target, most))
    medians = {name: float(np.median(values)) for name, values in spent.items()}
    return {
        "runs": len(land.runs),
        **{f"{name}_updates": median for name, median in medians.items()},
        **{f"{name}_never": sum(v >= most for v in values) / sweeps for name, values in spent.items()},
        "over_random": medians["gansearch"] / medians["random"],
        "over_asha": medians["gansearch"] / medians["asha"],
    }


def interval(land: Landscape, sweeps: int) -> dict[str, Any]:
    """How often the interval of a whole sweep's choice holds the median of ten new seeds."""
    inside, told = 0, 0
    for sweep in range(sweeps):
        seed = 500_000 + sweep
        rows = [row for row, _ in zip(gansearch(land, seed), range(land.experiment.trials), strict=False)]
        training = land.experiment.training
        trials = pd.DataFrame(
            [{**row, **balance(training.with_params(row["params"])), **row["params"]} for row in rows]
        ).drop(columns="params")
        choice = choose_best(trials, Confirmed(land, seed, by_distance=False).entries(rows))
        if choice is None or choice.interval is None:
            continue
        told += 1
        draw = random.Random(f"new {seed}")
        new = [land.draw(rows[choice.number]["params"], draw).end["distance"] for _ in range(10)]
        inside += choice.interval[0] <= np.nanmedian(new) <= choice.interval[1]
    return {"sweeps": told, "covered": inside / max(1, told)}


def racing(land: Landscape, sweeps: int) -> dict[str, Any]:
    """Random sweeps whose trials have one seed, four, or a race of them: seeds trained, and the chosen distance."""
    kinds = {"one": (1, 1), "four": (4, 4), "earned": (1, 4)}
    seeds: dict[str, list[int]] = {kind: [] for kind in kinds}
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    for sweep in range(sweeps):
        seed = 300_000 + sweep
        drawn = [row["params"] for row, _ in zip(random_search(land, seed), range(48), strict=False)]
        for kind, (least, most) in kinds.items():
            race, rows, trained = Race(top=3), [], 0
            for number, chosen in enumerate(drawn):
                draw = random.Random(f"race {seed} {number}")
                ends = [parse(SeedResult, {"seed": i, **land.draw(chosen, draw).end}) for i in range(most)]
                count = least
                while count < most and race.another(number, ends[:count]):
                    count += 1
                trained += count
                rows.append(_of_seeds(number, chosen, ends[:count]))
            best = Confirmed(land, seed, by_distance=False).best(rows)
            seeds[kind].append(trained)
            found[kind].append(land.median(rows[best]["params"]) if best is not None else math.inf)
    return {
        **{f"{kind}_seeds": float(np.mean(counts) / 48) for kind, counts in seeds.items()},
        **{f"{kind}_median": float(np.median(values)) for kind, values in found.items()},
    }


def _of_seeds(number: int, chosen: Mapping[str, Any], ends: list[SeedResult]) -> dict[str, Any]:
    """A trial's row from its seeds, as `gansearch.store.record.trial_record` makes it."""
    failed = any(end.status == "failed" for end in ends)
    return {
        "number": number,
        "params": dict(chosen),
        "status": "failed" if failed else "complete",
        "verdict": worst(end.verdict for end in ends),
        **{name: median(getattr(end, name) for end in ends) for name in ("stability", "distance")},
    }


PARTS: dict[str, tuple[Callable[[Landscape, int], dict[str, Any]], int]] = {
    "efficiency": (efficiency, 1),
    "interval": (interval, 5),
    "racing": (racing, 2),
}
"""Each with its sweeps for one of --sweeps."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS)
    parser.add_argument("--sweeps", type=int, default=20, help="of each search")
    parser.add_argument("--only", choices=list(PARTS), help="one of them")
    parser.add_argument("--runs", type=Path, default=RUNS, help="the folder of the tables")
    parser.add_argument("--quick", action="store_true", help="two sweeps of one task, to see that all works")
    options = parser.parse_args()
    if options.quick:
        options.tasks, options.sweeps = ["ring"], 2
    figures: dict[str, Any] = {}
    for task in options.tasks:
        land = Landscape(task, options.runs)
        figures[task] = {}
        for name, (part, times) in PARTS.items():
            if options.only in (None, name):
                figures[task] |= part(land, times * options.sweeps)
        print(task, json.dumps(figures[task]), flush=True)
    ok = all(of.get(name, 0.0) <= most for of in figures.values() for name, most in TARGETS.items()) and all(
        of.get("covered", 1.0) >= COVERED for of in figures.values()
    )
    targets = {**TARGETS, "covered": COVERED}
    print(json.dumps({"benchmark": "replay", "figures": figures, "targets": targets, "ok": ok}))


if __name__ == "__main__":
    main()
