"""What the rerun tables say: means with intervals over seeds, Markdown, and pictures of the samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from published_protocol import ROWS, TABLES, Table
from published_runs import Work
from scipy.stats import beta, t

from gansearch.gan import load_task

QUALITY = 0.97
"""The goal's share of samples of high quality."""
PANEL, LINE = 150, 16
"""Pixels of a panel's side, and of a line of text."""
COUNTS = ("modes_2pct", "modes_hit", "high_quality")
Cell = Mapping[str, float]


def mean_of(values: Sequence[float], most: float) -> dict[str, float]:
    """The mean and Student's 95% interval for it, within 0 and `most`; of one value all of that."""
    mean = float(np.mean(values))
    n, half = len(values), most
    if n > 1:
        half = float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) / math.sqrt(n))
    return {"mean": mean, "low": max(0.0, mean - half), "high": min(most, mean + half)}


def share_of(hits: int, n: int) -> dict[str, float]:
    """A share with the 95% interval of Clopper and Pearson."""
    low = beta.ppf(0.025, hits, n - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, n - hits) if hits < n else 1.0
    return {"mean": hits / n, "low": float(low), "high": float(high)}


def row_of(table: Table, seeds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The counts of a row's seeds, and what they cost."""
    most = {"modes_2pct": table.modes, "modes_hit": table.modes, "high_quality": 1.0}
    counts = {name: mean_of([seed["quality"][name] for seed in seeds], most[name]) for name in COUNTS}
    whole = sum(seed["quality"]["modes_2pct"] == table.modes for seed in seeds)
    return {
        **counts,
        "all_modes": share_of(whole, len(seeds)),
        "seeds": len(seeds),
        "updates": table.updates,
        "seconds": float(np.median([seed["seconds"] for seed in seeds])),
    }


def figures(works: Sequence[Work]) -> dict[str, dict[str, Any]]:
    """By table and row; a row without seeds is left out."""
    found: dict[str, dict[str, Any]] = {}
    for work in works:
        rows = {row: row_of(work.table, seeds) for row in ROWS if (seeds := work.trained(row))}
        for row in rows:
            if ROWS[row].search:
                rows[row]["search"] = cost(work, row)
        found[work.name] = rows
    return found


def cost(work: Work, row: str) -> dict[str, float]:
    """What a row's search took: trials, fresh seeds of its race, updates and processor seconds of all of them."""
    runs = [run for run in work.search_of(row).kept.rows if run["updates"] == work.table.updates]
    trials = sum(run["seed"] == ROWS[row].seed for run in runs)
    return {
        "trials": trials,
        "race": len(runs) - trials,
        "updates": sum(run["end"]["updates"] for run in runs),
        "seconds": sum(run["seconds"] for run in runs),
    }


def targets(names: Sequence[str]) -> dict[str, dict[str, float]]:
    return {name: {"modes_2pct": TABLES[name].modes, "high_quality": QUALITY} for name in names if name in TABLES}


def met(found: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Mapping[str, float]]) -> dict[str, list[str]]:
    """By table the searched rows whose means reach all targets."""
    return {
        name: [
            row
            for row, figures in found.get(name, {}).items()
            if ROWS[row].search and all(figures[count]["mean"] >= least for count, least in goal.items())
        ]
        for name, goal in wanted.items()
    }


def markdown(works: Sequence[Work], found: Mapping[str, Mapping[str, Any]]) -> str:
    """The tables, the papers' printed numbers last."""
    lines = []
    for work in works:
        table, rows = work.table, found[work.name]
        lines += [
            f"**{table.title}**, {table.updates:,} updates a training (the paper: {table.paper_updates:,})",
            "",
            f"| | modes of {table.modes} with 2% of the samples | with one sample | high quality | seeds with all |",
            "|---|---|---|---|---|",
        ]
        for name, row in rows.items():
            low, high = (100 * row["all_modes"][end] for end in ("low", "high"))
            whole = f"{row['all_modes']['mean'] * row['seeds']:.0f} of {row['seeds']} ({low:.0f} to {high:.0f}%)"
            cells = [_text(row["modes_2pct"]), _text(row["modes_hit"]), _text(row["high_quality"], 100), whole]
            lines.append(f"| {ROWS[name].title} | {' | '.join(cells)} |")
        for method, (modes, error, quality) in table.printed.items():
            lines.append(f"| *{method}, as its paper prints it* | | *{modes} ± {error}* | *{quality}%* | |")
        lines.append("")
    return "\n".join(lines)


def _text(cell: Cell, scale: float = 1) -> str:
    sign = "%" if scale == 100 else ""
    mean, low, high = (scale * cell[name] for name in ("mean", "low", "high"))
    return f"{mean:.1f}{sign} ({low:.1f} to {high:.1f})"


def draw(work: Work, file: Path) -> None:
    """A picture of the samples that are there: a line of panels for each row, one for each seed, the modes in red."""
    from PIL import Image, ImageDraw

    kept = {row: [seed for seed in work.trained(row) if work.picture(row, seed["seed"]).exists()] for row in ROWS}
    rows = {row: seeds for row, seeds in kept.items() if seeds}
    task = load_task(work.table.path, {})
    most, reach = max(map(len, rows.values()), default=1), 1.25 * float(task.centres.abs().max())
    picture = Image.new("RGB", (most * PANEL, len(rows) * (PANEL + LINE)), "white")
    pen = ImageDraw.Draw(picture)

    def place(points: np.ndarray, column: int, line: int) -> np.ndarray:
        """Pixels of (N, 2) points in a panel; those beyond its reach at its edge."""
        inside = np.clip(points * (1, -1), -reach, reach) / (2 * reach) + 0.5
        return (column * PANEL, line * (PANEL + LINE) + LINE) + inside * (PANEL - 3) + 1

    for line, (row, seeds) in enumerate(rows.items()):
        pen.text((3, line * (PANEL + LINE) + 2), f"{work.table.title}: {ROWS[row].title}", fill="black")
        for column, seed in enumerate(seeds):
            pen.rectangle(
                [*place(np.array([[-reach, reach], [reach, -reach]]), column, line).flatten()], outline="gray"
            )
            samples = np.load(work.picture(row, seed["seed"])).astype(float)
            pen.point([*place(samples, column, line).flatten()], fill="black")
            for x, y in place(task.centres.numpy(), column, line):
                pen.ellipse([x - 4, y - 4, x + 4, y + 4], outline="red")
    picture.save(file, optimize=True)
