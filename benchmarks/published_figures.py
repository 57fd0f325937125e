"""What the rerun tables say: means with intervals over seeds, Markdown, and pictures of the samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from published_protocol import ROWS, TABLES, Table
from published_runs import Work
from scipy.stats import beta, t

from gansearch.gan import load_task

if TYPE_CHECKING:
    from PIL import Image

QUALITY = 0.97
"""The goal's share of samples of high quality."""
PANEL, LINE = 150, 16
"""Pixels of a panel's side, and of a line of text."""
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
    most = {"modes_2pct": table.modes, "modes_hit": table.modes, "high_quality": 1.0, "kl": math.log(table.modes)}
    counts = {name: mean_of([seed["quality"][name] for seed in seeds], most[name]) for name in table.counts}
    whole = sum(seed["quality"][next(iter(table.counts))] == table.modes for seed in seeds)
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
        rows = {row: row_of(work.table, seeds) for row in work.table.rows if (seeds := work.trained(row))}
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
    """Of the mixtures; no goal was set for images."""
    mixtures = [name for name in names if "high_quality" in TABLES[name].counts]
    return {name: {"modes_2pct": TABLES[name].modes, "high_quality": QUALITY} for name in mixtures}


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
        modes, *others = table.counts.values()
        lines += [
            f"**{table.title}**, {table.updates:,} updates a training (the paper: {table.paper_updates:,})",
            "",
            f"| | {' | '.join([f'modes of {table.modes:,} {modes}', *others, 'seeds with all'])} |",
            f"|---|{'---|' * (1 + len(table.counts))}",
        ]
        for name, row in rows.items():
            low, high = (100 * row["all_modes"][end] for end in ("low", "high"))
            whole = f"{row['all_modes']['mean'] * row['seeds']:.0f} of {row['seeds']} ({low:.0f} to {high:.0f}%)"
            cells = [_text(row[count], 100 if count == "high_quality" else 1) for count in table.counts]
            lines.append(f"| {table.rows[name]} | {' | '.join([*cells, whole])} |")
        for method, printed in table.printed.items():
            cells = [f" *{printed[count]}* |" if count in printed else " |" for count in table.counts]
            lines.append(f"| *{method}, as its paper prints it* |{''.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def _text(cell: Cell, scale: float = 1) -> str:
    sign = "%" if scale == 100 else ""
    mean, low, high = (scale * cell[name] for name in ("mean", "low", "high"))
    return f"{mean:.1f}{sign} ({low:.1f} to {high:.1f})"


def draw(work: Work, file: Path) -> None:
    """A picture of the samples that are there: a line of panels for each row, one for each seed."""
    from PIL import Image, ImageDraw

    kept = {
        row: [seed for seed in work.trained(row) if work.picture(row, seed["seed"]).exists()] for row in work.table.rows
    }
    rows = {row: seeds for row, seeds in kept.items() if seeds}
    task = load_task(work.table.path, {})
    most = max(map(len, rows.values()), default=1)
    picture = Image.new("RGB", (most * PANEL, len(rows) * (PANEL + LINE)), "white")
    pen = ImageDraw.Draw(picture)
    for line, (row, seeds) in enumerate(rows.items()):
        pen.text((3, line * (PANEL + LINE) + 2), f"{work.table.title}: {work.table.rows[row]}", fill="black")
        for column, seed in enumerate(seeds):
            samples = np.load(work.picture(row, seed["seed"])).astype(np.float32)
            panel = points(samples, task.centres.numpy()) if samples.ndim == 2 else images(samples)
            picture.paste(panel, (column * PANEL, line * (PANEL + LINE) + LINE))
    picture.save(file, optimize=True)


def points(samples: np.ndarray, centres: np.ndarray) -> Image.Image:
    """A panel of (N, 2) samples, those beyond its reach at its edge, with circles around the modes in red."""
    from PIL import Image, ImageDraw

    panel, reach = Image.new("RGB", (PANEL, PANEL), "white"), 1.25 * float(np.abs(centres).max())
    pen = ImageDraw.Draw(panel)

    def place(given: np.ndarray) -> np.ndarray:
        return (np.clip(given * (1, -1), -reach, reach) / (2 * reach) + 0.5) * (PANEL - 3) + 1

    pen.rectangle([*place(np.array([[-reach, reach], [reach, -reach]])).flatten()], outline="gray")
    pen.point([*place(samples).flatten()], fill="black")
    for x, y in place(centres):
        pen.ellipse([x - 4, y - 4, x + 4, y + 4], outline="red")
    return panel


def images(samples: np.ndarray) -> Image.Image:
    """A panel of as many (N, 3, H, W) images in [-1, 1] as it has room for."""
    from PIL import Image

    panel, side = Image.new("RGB", (PANEL, PANEL), "white"), samples.shape[-1] + 1
    across = PANEL // side
    for place, image in enumerate(samples[: across**2]):
        shown = Image.fromarray(((image.transpose(1, 2, 0) + 1) * 127.5).round().astype(np.uint8))
        panel.paste(shown, (place % across * side, place // across * side))
    return panel
