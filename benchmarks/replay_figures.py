"""What replays say: ratios to the search by hand with intervals, unhealthy exports, and the trainings to a target."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from replay_sweep import Exported

REFERENCE = "hand"
HEALTHY = 0.8
"""Share of a configuration's seeds under which it is an unhealthy export."""
TARGET_BUDGET = 50
"""Trainings of plain random search, what is exported after which is the target."""
RESAMPLES = 2000
LEVEL = 0.9

Sweeps = Mapping[int, Sequence[Exported]]
"""Of one search on one landscape, by number."""


def at(sweep: Sequence[Exported], budget: float) -> Exported:
    return next(exported for exported in sweep if exported.budget == budget)


def log_ratios(sweeps: Sweeps, budget: float, others: Sweeps, others_budget: float) -> np.ndarray:
    """Of the true median distances of what is exported, of the sweeps that both have."""
    pairs = sorted(sweeps.keys() & others.keys())
    values = [math.log(at(sweeps[i], budget).median / at(others[i], others_budget).median) for i in pairs]
    return np.array(values)


def interval(groups: Sequence[np.ndarray]) -> tuple[float, float, float]:
    """Mean of the groups' means, and its bootstrap interval: sweeps are drawn again within each group."""
    draw = np.random.default_rng(0)
    means = [group[draw.integers(len(group), size=(RESAMPLES, len(group)))].mean(1) for group in groups]
    low, high = np.quantile(np.mean(means, axis=0), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(np.mean([group.mean() for group in groups])), float(low), float(high)


def first_passage(sweep: Sequence[Exported], target: float) -> tuple[float, bool]:
    """Trainings until a sweep would export what is as near as the target; the last budget and False: not until then."""
    ordered = sorted(sweep, key=lambda exported: exported.budget)
    reached = next((exported.budget for exported in ordered if exported.median <= target), None)
    return (ordered[-1].budget, False) if reached is None else (reached, True)


def restricted_mean(passages: Sequence[tuple[float, bool]]) -> float:
    """The mean of the trainings up to the last budget: the area under Kaplan and Meier's curve.

    All sweeps that have not arrived are censored at the same time, the last budget, so that the curve is the share of
    them and the area the mean of what each has spent.
    """
    return float(np.mean([time for time, _ in passages]))


def kaplan_meier_median(passages: Sequence[tuple[float, bool]]) -> float:
    """The trainings after which half of the sweeps have arrived; infinite where fewer ever do."""
    arrived = sorted(time for time, reached in passages if reached)
    half = math.ceil(len(passages) / 2)
    return arrived[half - 1] if len(arrived) >= half else math.inf


def target_of(sweeps: Sweeps) -> float:
    """The geometric mean of what plain random search exports after TARGET_BUDGET trainings."""
    return math.exp(float(np.mean([math.log(at(sweep, TARGET_BUDGET).median) for sweep in sweeps.values()])))


def summary(results: Mapping[str, Mapping[str, Sweeps]], budgets: Sequence[float]) -> dict[str, Any]:
    """By search: figures of each task and their mean, from sweeps by task and search on one kind of landscape.

    A ratio is [mean, low, high], of distances, geometric.
    """
    names = [name for name in next(iter(results.values())) if all(of.get(name) for of in results.values())]
    return {name: _of_search(results, name, budgets) for name in names}


def _of_search(results: Mapping[str, Mapping[str, Sweeps]], name: str, budgets: Sequence[float]) -> dict[str, Any]:
    def ratio(budget: float, others_budget: float, tasks: Sequence[str]) -> list[float]:
        groups = [log_ratios(results[t][name], budget, results[t][REFERENCE], others_budget) for t in tasks]
        return [round(math.exp(value), 3) for value in interval(groups)]

    def mean(value: Any, tasks: Sequence[str]) -> float:
        return round(float(np.mean([np.mean([value(sweep) for sweep in results[t][name].values()]) for t in tasks])), 3)

    found: dict[str, Any] = {"sweeps": min(len(of[name]) for of in results.values())}
    for label, tasks in [*((task, [task]) for task in results), ("all", list(results))]:
        figures: dict[str, Any] = {}
        for budget in budgets:
            figures[f"at_{budget}"] = ratio(budget, budget, tasks)
            figures[f"unhealthy_{budget}"] = mean(lambda sweep, b=budget: at(sweep, b).healthy < HEALTHY, tasks)
            figures[f"trainings_{budget}"] = mean(lambda sweep, b=budget: at(sweep, b).trainings, tasks)
            figures[f"seconds_{budget}"] = mean(lambda sweep, b=budget: at(sweep, b).seconds, tasks)
            figures[f"trials_{budget}"] = mean(lambda sweep, b=budget: at(sweep, b).trials, tasks)
            if 2 * budget in budgets:
                figures[f"half_of_{2 * budget}"] = ratio(budget, 2 * budget, tasks)
        if all("random" in results[task] for task in tasks) and TARGET_BUDGET in budgets:
            figures |= _passage(results, name, tasks)
        found[label] = figures
    return found


def _passage(results: Mapping[str, Mapping[str, Sweeps]], name: str, tasks: Sequence[str]) -> dict[str, float]:
    passages = [
        [first_passage(sweep, target_of(results[task]["random"])) for sweep in results[task][name].values()]
        for task in tasks
    ]
    together = [passage for of in passages for passage in of]
    return {
        "to_target_mean": round(float(np.mean([restricted_mean(of) for of in passages])), 1),
        "to_target_median": kaplan_meier_median(together),
        "never": round(sum(not reached for _, reached in together) / len(together), 3),
    }


def table(figures: Mapping[str, Any], tasks: Sequence[str], budgets: Sequence[float]) -> str:
    """Figures as a table of Markdown, a row a search."""
    shown = [b for b in budgets if b >= 25]
    heads = [*tasks, "all", "90%", "half", "unhealthy", "seconds", "to target", "never", "sweeps"]
    lines = [f"| at {' / '.join(map(str, shown))} | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for name, of in figures.items():
        cells = [_each(of[task], "at", shown) for task in [*tasks, "all"]]
        every = of["all"]
        cells.append(", ".join(f"{every[f'at_{b}'][1]:.2f}–{every[f'at_{b}'][2]:.2f}" for b in shown))
        cells.append(" / ".join(f"{every[f'half_of_{b}'][0]:.2f}" for b in budgets if f"half_of_{b}" in every))
        cells += [_each(every, label, shown, digits) for label, digits in (("unhealthy", 2), ("seconds", 0))]
        cells += [str(every.get("to_target_mean", "")), str(every.get("never", "")), str(of["sweeps"])]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _each(of: Mapping[str, Any], label: str, budgets: Sequence[float], digits: int = 2) -> str:
    values = [of[f"{label}_{budget}"] for budget in budgets]
    return " / ".join(f"{value[0] if isinstance(value, list) else value:.{digits}f}" for value in values)
