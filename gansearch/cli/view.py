"""Draws a sweep that runs: a picture for a terminal, a line for a log. Both are made from its Status alone."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gansearch.experiment import Experiment
from gansearch.formatting import duration, many, readings, size, step_text, words
from gansearch.study.analysis.choose import candidates
from gansearch.study.analysis.time_spent import saved
from gansearch.study.figures.palette import COLOURS, SYMBOLS
from gansearch.study.status import MORE, Status

_BAR_WIDTH = 21
"""Characters of a belief bar from 0 to 1: each stands for .05."""
_MARKS = {
    "x": "✖",
    "cross": "✚",
    "triangle-up": "▲",
    "triangle-down": "▼",
    "square": "■",
    "diamond": "◆",
    "hexagon": "⬢",
    "circle": "●",
}
"""The characters that stand for the report's symbols."""
_BELIEFS = "0 fake ▿ · ▾ real   1"
_COLUMN_WIDTHS = {
    **{"trial": 5, "seed": 5, _BELIEFS: _BAR_WIDTH, "stability": 9, "distance": 9, "update": 9, "updates/s": 9},
    **{"GPU": 3, "GPU memory": 10, "GPU busy": 8, "reconstruction": 14, "separability": 12, "saturated": 9, "node": 15},
}
"""The columns of the running trials, and their widths in characters."""
_DISPENSABLE = (
    "node",
    "saturated",
    "separability",
    "reconstruction",
    "seed",
    "updates/s",
    "GPU memory",
    "GPU",
    "GPU busy",
)
"""Columns that a narrow terminal goes without, in the order in which they are left out."""
_MOST_CONFIRMATIONS = 4
"""The number of runs on fresh seeds that are listed."""
_OTHER_LINES = 12
"""The lines of the picture that are no running trials."""


def picture(current: Status, width: int, height: int) -> RenderableType:
    """Returns all that is known of a sweep, in at most `width` columns and about `height` lines."""
    done = len(current.study.trials) + current.confirmed
    total = (current.total or len(current.study.trials) + len(current.running)) + current.confirmations
    bar = Table.grid()  # a bar alone does not end its line
    bar.add_row(ProgressBar(total=total, completed=min(done, total), width=min(60, width)))
    parts: list[RenderableType] = [
        Text(_progress(current), style="bold"),
        bar,
        _verdicts(current),
        Text(_savings(current)),
        Text(_best(current, params=True), style="green"),
        *(Text(f"warning: {warning}", style="yellow") for warning in current.warnings),
        Text(_confirming(current)),
    ]
    if current.running:
        parts.append(_running(current, width, max(3, height - _OTHER_LINES)))
    return Group(*(part for part in parts if part))


def line(current: Status) -> str:
    """Returns one line for a log, without what changes from second to second."""
    verdicts = ", ".join(f"{count} {words(name)}" for name, count in _counts(current).items())
    pruned = saved(current.study.trials, current.study.experiment).pruned
    parts = [_progress(current), verdicts, f"{pruned} stopped early" if pruned else "", _best(current)]
    return f"{datetime.now():%H:%M:%S} " + "; ".join(part for part in parts if part)


def _progress(current: Status) -> str:
    """Returns how many trials have ended, and when the sweep will end."""
    study = current.study
    of = f"{len(study.trials)} of " if current.total else ""
    text = f"{study.experiment.name}: {of}{many(current.total or len(study.trials), 'trial')}"
    if current.state == "confirming":
        about = "about " if current.study.folder.races and current.confirmed < current.confirmations else ""
        text += f", {current.confirmed} of {about}{current.confirmations} runs on fresh seeds"
    if current.state in ("confirming", "finished") and study.run.get("ended"):
        text += f", ended{'' if study.experiment.trials == 'auto' else ' early'} ({study.run['ended']})"
    if not current.alive:
        return f"{text}, {'its driver died' if current.state == 'died' else current.state}"
    if current.starting:
        return f"{text}, workers are starting"
    left = current.seconds_left
    if left == 0 and not current.running:
        return f"{text}, writing the tables"
    if left is None:
        return text if len(study.trials) else f"{text}, no trial has ended yet"
    end = datetime.fromtimestamp(time.time() + left)
    clock = f"{end:%H:%M}" if end.date() == datetime.now().date() else f"{end:%a %d %b %H:%M}"
    condition = "" if len(study.trials) else " if none is stopped early"
    return f"{text}, {'about' if current.total else 'at most'} {_rounded(left)} left{condition} ({clock})"


def _rounded(seconds: float) -> str:
    """Returns an estimated duration, with no more digits than an estimate deserves."""
    unit = 5 if seconds < 60 else 30 if seconds < 600 else 60 if seconds < 3600 else 600
    return duration(math.ceil(seconds / unit) * unit).removesuffix(" 0 s")


def _counts(current: Status) -> dict[str | None, int]:
    """Returns the number of trials per verdict; trials without a verdict are counted under None."""
    verdicts: dict[str | None, int] = dict(current.study.verdicts.items())
    without = len(current.study.trials) - sum(verdicts.values())
    return verdicts | ({None: without} if without else {})


def _verdicts(current: Status) -> Text:
    text = Text()
    for name, count in _counts(current).items():
        mark = _MARKS.get(SYMBOLS.get(str(name), ""), "×")
        text.append("  " if text else "").append(f"{mark} ", style=COLOURS.get(str(name), "red"))
        text.append(f"{count} {words(name)}")
    return text


def _savings(current: Status) -> str:
    savings = saved(current.study.trials, current.study.experiment)
    if not savings.pruned:
        return ""
    return (
        f"{savings.pruned} stopped early, which saved {savings.share:.0%} of the updates, {duration(savings.seconds)}"
    )


def _confirming(current: Status) -> str:
    """Returns what trains on fresh seeds now. The longest runs are listed first."""
    runs = [
        f"{'default settings' if run['number'] is None else 'trial ' + str(run['number'])} on seed {run['seed']}, "
        f"for {duration(current.progress['written'] - run['started'])}"
        for run in current.confirming
    ]
    more = f"; and {len(runs) - _MOST_CONFIRMATIONS} more" if len(runs) > _MOST_CONFIRMATIONS else ""
    return f"training {'; '.join(runs[:_MOST_CONFIRMATIONS])}{more}" if runs else ""


def _best(current: Status, params: bool = False) -> str:
    """Returns the best-balanced trial of a finished sweep, else the trial that would be confirmed first by now."""
    trials = current.study.trials
    best = current.study.best if current.state == "finished" else None
    numbers = [best.number] if best else candidates(trials, 1) if len(trials) else []
    if not numbers:
        return ""
    row = trials.loc[trials["number"] == numbers[0]].iloc[0]
    stability, distance = (best.stability, best.distance) if best else (row["stability"], row["distance"])
    name = f"{'best-balanced' if best else 'best so far'}: trial {numbers[0]}"
    text = ", ".join([name, *readings(stability, distance)])
    if current.state == "running" and math.isfinite(current.expected_gain):
        text += f"; {MORE} more trials would bring about {current.expected_gain:.0%}"
    return text + (f" ({', '.join(_params(current.study.experiment, row))})" if params else "")


def _params(experiment: Experiment, row: pd.Series) -> list[str]:
    """Returns the parameters that matter most: the numbers of the balance, or what a user's loop searches."""
    names = list(experiment.search) if experiment.is_loop else ["lr_d", "lr_g", "pretrain_steps", "update_ratio"]
    values = {name: row[name] for name in names if row[name] is not None and row[name] == row[name]}
    return [f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}" for name, value in values.items()]


def _running(current: Status, width: int, most: int) -> Table:
    """Returns a table of the running trials, with at most `most` rows and the columns that fit."""
    budget, nodes = current.study.experiment.training.updates, current.progress["nodes"]
    known = {
        name
        for trial in current.running
        for name, value in (trial["probe"] or {}).items()
        if value is not None and value == value
    }
    present = {
        "node": len(nodes) > 1,
        "GPU": any(node["gpus"] for node in nodes),
        "GPU memory": "gpu_memory" in known,
        "GPU busy": "gpu_utilisation" in known,
        "reconstruction": "reconstruction" in known,
    }
    columns = _columns(width, budget, present)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
    for name in columns:
        table.add_column(name, justify="left" if name == _BELIEFS else "right", no_wrap=True)
    for trial in current.running[:most]:
        cells = _cells(trial, budget, current.progress["written"])
        table.add_row(*(cells.get(name, "") for name in columns))
    if len(current.running) > most:
        table.add_row("…", "", f"and {len(current.running) - most} more")
    return table


def _columns(width: int, budget: int, present: Mapping[str, bool]) -> list[str]:
    """Returns the columns that fit into `width` characters, of those that are not said to be absent."""
    columns = [name for name in _COLUMN_WIDTHS if present.get(name, True)]
    widths = {**_COLUMN_WIDTHS, "update": max(_COLUMN_WIDTHS["update"], 2 * len(str(budget)) + 1)}
    for name in _DISPENSABLE:
        if sum(widths[column] + 2 for column in columns) - 2 <= width:
            break
        if name in columns:
            columns.remove(name)
    return columns


def _cells(trial: Mapping[str, Any], budget: int, now: float) -> dict[str, str | Text]:
    """Returns the cells of a running trial by column. A trial without a probe has few."""
    probe, rate = trial["probe"], trial["updates_per_second"]
    if probe is None:
        return {"trial": str(trial["number"]), _BELIEFS: f"starting, {duration(now - trial['started'])}"}
    saturated = probe["saturated_right"] + probe["saturated_wrong"]
    return {
        "trial": str(trial["number"]),
        "seed": str(probe["seed"]),
        _BELIEFS: belief_bar(probe["p_real"], probe["p_fake"]),
        "stability": _finite(probe.get("stability"), ".2f"),
        "distance": _finite(trial.get("distance"), ".4g"),
        "update": f"{step_text(probe['update'], 4)}/{step_text(budget)}".replace(",", ""),
        "updates/s": f"{rate:,.0f}" if rate else "",
        "GPU": str(probe.get("gpus") or ""),
        "GPU memory": "" if probe.get("gpu_memory") is None else size(probe["gpu_memory"]),
        "GPU busy": "" if probe.get("gpu_utilisation") is None else f"{probe['gpu_utilisation']:.0%}",
        "reconstruction": _finite(probe.get("reconstruction"), ".4g"),
        "separability": _finite(probe["separability"], ".2f"),
        "saturated": _finite(saturated, ".0%"),
        "node": str(probe.get("node") or ""),
    }


def _finite(value: float | None, form: str) -> str:
    """Returns a number in a format; nothing where it is none, or not finite."""
    return f"{value:{form}}" if value is not None and math.isfinite(value) else ""


def belief_bar(p_real: float, p_fake: float) -> Text:
    """Returns a bar from 0 to 1 that marks D's mean output on fakes (▿) and on reals (▾); ◆ where both coincide."""
    marks: dict[int, tuple[str, str]] = {}
    for p, mark, colour in ((p_fake, "▿", "magenta"), (p_real, "▾", "green")):
        if math.isfinite(p):
            position = round(min(1.0, max(0.0, p)) * (_BAR_WIDTH - 1))
            marks[position] = ("◆", "yellow") if position in marks else (mark, colour)
    return Text.assemble(*(marks.get(position, ("·", "bright_black")) for position in range(_BAR_WIDTH)))
