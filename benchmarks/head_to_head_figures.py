"""What rounds of the head-to-head say: ratios of distances with intervals, coverage, healthy seeds, and luck."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import t

SIDES = ("hand", "equal", "half")
"""By hand, and gansearch in the same time and in half of it."""
OURS = SIDES[1:]
LEVEL = 0.9
LUCK, LUCK_TASK, LUCK_ROUNDS = 1.4, "digits", 10
"""Largest 90th over 10th percentile of the winners at equal time on one task, once there are so many rounds."""
LATE = 1.05
"""A side that takes longer than this share of its time has not kept it."""

Row = Mapping[str, Any]
"""A line of the results: one side of one round, with the fresh seeds of its winner."""


def medians(rows: Sequence[Row]) -> list[float]:
    """The median distance of each winner's seeds.

    Where half of them have none it is the largest of any seed of these rows: it is a bad winner, but not infinitely.
    """
    known = [seed["distance"] for row in rows for seed in row["seeds"] if math.isfinite(seed["distance"])]
    worst = max(known, default=math.nan)
    values = [statistics.median(seed["distance"] for seed in row["seeds"]) for row in rows]
    return [value if math.isfinite(value) else worst for value in values]


def whole_rounds(rows: Iterable[Row]) -> list[dict[str, Row]]:
    """The rounds of one task that have every side, in order, by side."""
    rounds: dict[int, dict[str, Row]] = {}
    for row in rows:
        rounds.setdefault(row["round"], {})[row["side"]] = row
    return [rounds[number] for number in sorted(rounds) if set(SIDES) <= rounds[number].keys()]


def ratio(groups: Sequence[np.ndarray]) -> dict[str, float | None]:
    """The geometric mean over tasks of ratios, from a task's log ratios a round, and its interval.

    The interval is Student's for the mean over the tasks, with the variance between rounds pooled within them: a
    bootstrap of two or three rounds is far too narrow. Where no task has two rounds there is none.
    """
    sizes = np.array([len(group) for group in groups])
    mean, freedom = float(np.mean([group.mean() for group in groups])), int((sizes - 1).sum())
    found: dict[str, float | None] = {"ratio": math.exp(mean), "low": None, "high": None}
    if freedom:
        variance = sum(float(((group - group.mean()) ** 2).sum()) for group in groups) / freedom
        half = float(t.ppf((1 + LEVEL) / 2, freedom)) * math.sqrt(variance * float((1 / sizes).sum())) / len(groups)
        found |= {"low": math.exp(mean - half), "high": math.exp(mean + half)}
    return found


def of_side(rows: Sequence[Row], values: Sequence[float]) -> dict[str, float | None]:
    """What one side's winners of one task are, given their median distances."""
    seeds = [seed for row in rows for seed in row["seeds"]]
    coverages = [seed["coverage"] for seed in seeds if seed.get("coverage") is not None]
    held = [
        row["interval"][0] <= value <= row["interval"][1]
        for row, value in zip(rows, values, strict=True)
        if row.get("interval")
    ]
    low, high = np.quantile(values, [0.1, 0.9])
    return {
        "distance": math.exp(statistics.fmean(map(math.log, values))),
        "coverage": statistics.fmean(coverages) if coverages else None,
        "healthy": statistics.fmean(seed["verdict"] == "balanced" for seed in seeds),
        "worst": max(values),
        "luck": float(high / low),
        "trials": statistics.fmean(row["trials"] for row in rows),
        "seconds": statistics.fmean(row["seconds"] for row in rows),
        "longest": max(row["seconds"] / row["allowed"] for row in rows),
        "exported": statistics.fmean(bool(row["exported"]) for row in rows),
        "interval_holds": statistics.fmean(held) if held else None,
    }


def figures(rows: Iterable[Row], unseen: Iterable[str] = ()) -> dict[str, Any]:
    """By task the rounds, each side and the ratios of ours over by hand's; and those of all, seen and unseen tasks."""
    by_task: dict[str, list[Row]] = {}
    for row in rows:
        by_task.setdefault(row["task"], []).append(row)
    tasks: dict[str, Any] = {}
    logs: dict[str, dict[str, np.ndarray]] = {}
    for task, lines in by_task.items():
        rounds = whole_rounds(lines)
        if not rounds:
            continue
        flat = iter(medians([one[side] for one in rounds for side in SIDES]))
        values = {side: [] for side in SIDES}  # type: dict[str, list[float]]
        for _ in rounds:
            for side in SIDES:
                values[side].append(next(flat))
        logs[task] = {side: np.log(values[side]) - np.log(values["hand"]) for side in OURS}
        tasks[task] = {
            "rounds": len(rounds),
            "ratios": {side: ratio([logs[task][side]]) for side in OURS},
            "sides": {side: of_side([one[side] for one in rounds], values[side]) for side in SIDES},
        }
    groups = {
        "all": list(logs),
        "seen": [task for task in logs if task not in set(unseen)],
        "unseen": [task for task in logs if task in set(unseen)],
    }
    return {
        "tasks": tasks,
        "over": {
            name: {side: ratio([logs[task][side] for task in of]) for side in OURS} for name, of in groups.items() if of
        },
    }


def verdict(found: Mapping[str, Any]) -> dict[str, bool | None]:
    """Which targets are met; None where there are too few rounds to say."""
    every, tasks = found["over"].get("all"), found["tasks"]
    equal, half = (every[side] if every else {"low": None, "high": None} for side in OURS)
    digits = tasks.get(LUCK_TASK)
    enough = digits and digits["rounds"] >= LUCK_ROUNDS
    longest = [side["longest"] for task in tasks.values() for side in task["sides"].values()]
    return {
        "half time: no worse": None if half["low"] is None else half["low"] <= 1,
        "equal time: better": None if equal["high"] is None else equal["high"] < 1,
        f"luck on {LUCK_TASK}": digits["sides"]["equal"]["luck"] <= LUCK if enough else None,
        "in time": max(longest) <= LATE if longest else None,
    }


def table(found: Mapping[str, Any]) -> str:
    """The figures as two tables in Markdown: ratios, and sides."""
    lines = ["| | rounds | equal time, ours over by hand's | half of it |", "|---|---|---|---|"]
    for name, task in found["tasks"].items():
        lines.append(_row(name, task["rounds"], *(_ratio(task["ratios"][side]) for side in OURS)))
    for name, ratios in found["over"].items():
        lines.append(_row(f"**{name}**", "", *(_ratio(ratios[side]) for side in OURS)))
    columns = ("distance", "coverage", "healthy", "worst", "luck", "trials", "seconds", "longest", "interval_holds")
    lines += ["", _row("", "side", *columns), "|---" * (2 + len(columns)) + "|"]
    for name, task in found["tasks"].items():
        for side, of in task["sides"].items():
            lines.append(_row(name, side, *(_number(of[column]) for column in columns)))
    return "\n".join(lines)


def _row(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _ratio(of: Mapping[str, float | None]) -> str:
    interval = "" if of["low"] is None else f" [{of['low']:.2f}–{of['high']:.2f}]"
    return f"{of['ratio']:.2f}{interval}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
