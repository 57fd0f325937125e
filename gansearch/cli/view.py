"""What a sweep looks like while it runs: a picture for a terminal, a line for a log. Made of its Status alone."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gansearch.experiment import Experiment
from gansearch.formatting import duration, many, words
from gansearch.study.analysis.choose import candidates
from gansearch.study.analysis.time_spent import saved
from gansearch.study.figures.palette import COLOURS, SYMBOLS
from gansearch.study.status import Status

_BAR = 21
"""Characters from 0 to 1, so that each stands for .05."""
_MARKS = {
    "x": "✖",
    "cross": "✚",
    "triangle-up": "▲",
    "triangle-down": "▼",
    "square": "■",
    "diamond": "◆",
    "circle": "●",
}
"""The page's symbols as a terminal has them."""
_FRESH = 4
"""Runs on fresh seeds that are named."""
_COLUMNS = {
    **{"trial": 5, "seed": 5, "0 fake ▿ · ▾ real   1": 21, "stability": 9, "distance": 9, "update": 9, "updates/s": 9},
    **{"GPU": 3, "separability": 12, "saturated": 9, "node": 15},
}
"""What is told of a running trial, in columns of so many characters."""
_LESS = ("node", "saturated", "separability", "seed", "updates/s", "GPU")
"""Columns that a narrow terminal goes without, the first of them first."""
_ELSE = 12
"""Lines of the picture that are no running trial."""


def picture(found: Status, width: int, height: int) -> RenderableType:
    """All that is known, in at most `width` columns and about `height` lines."""
    bar = Table.grid()  # a bar alone does not end its line
    done = len(found.study.trials) + found.confirmed
    whole = found.study.experiment.trials + found.confirmations
    bar.add_row(ProgressBar(total=whole, completed=min(done, whole), width=min(60, width)))
    parts: list[RenderableType] = [Text(_how_far(found), style="bold"), bar, _verdicts(found)]
    if stopped := _stopped(found):
        parts.append(Text(stopped))
    if best := _best(found, params=True):
        parts.append(Text(best, style="green"))
    parts += [Text(f"warning: {warning}", style="yellow") for warning in found.warnings]
    if fresh := _confirming(found):
        parts.append(Text(fresh))
    if found.running:
        parts.append(_running(found, width, max(3, height - _ELSE)))
    return Group(*(part for part in parts if part))


def line(found: Status) -> str:
    """The same in one line, without what changes from second to second."""
    counts = ", ".join(f"{count} {words(name)}" for name, count in _counts(found).items())
    pruned = saved(found.study.trials, found.study.experiment).pruned
    parts = [_how_far(found), counts, f"{pruned} stopped early" if pruned else "", _best(found)]
    return f"{datetime.now():%H:%M:%S} " + "; ".join(part for part in parts if part)


def _how_far(found: Status) -> str:
    study = found.study
    what = f"{study.experiment.name}: {len(study.trials)} of {many(study.experiment.trials, 'trial')}"
    if found.state == "confirming":
        what += f", {found.confirmed} of {found.confirmations} runs on fresh seeds"
    if not found.alive:
        return f"{what}, {'its driver died' if found.state == 'died' else found.state}"
    if found.starting:
        return f"{what}, workers are starting"
    left = found.seconds_left
    if left == 0 and not found.running:
        return f"{what}, writing the tables"
    if left is None:
        return f"{what}, no trial has ended yet"
    end = datetime.fromtimestamp(time.time() + left)
    clock = f"{end:%H:%M}" if end.date() == datetime.now().date() else f"{end:%a %d %b %H:%M}"
    unsure = "" if len(study.trials) else " if none is stopped early"
    return f"{what}, about {_rounded(left)} left{unsure} ({clock})"


def _rounded(seconds: float) -> str:
    """No more digits than such a guess deserves."""
    unit = 5 if seconds < 60 else 30 if seconds < 600 else 60 if seconds < 3600 else 600
    return duration(math.ceil(seconds / unit) * unit).removesuffix(" 0 s")


def _counts(found: Status) -> dict[str | None, int]:
    """Trials by verdict, those without one under None."""
    verdicts: dict[str | None, int] = dict(found.study.verdicts.items())
    without = len(found.study.trials) - sum(verdicts.values())
    return verdicts | ({None: without} if without else {})


def _verdicts(found: Status) -> Text:
    text = Text()
    for name, count in _counts(found).items():
        mark = _MARKS.get(SYMBOLS.get(str(name), ""), "×")
        text.append("  " if text else "").append(f"{mark} ", style=COLOURS.get(str(name), "red"))
        text.append(f"{count} {words(name)}")
    return text


def _stopped(found: Status) -> str:
    stopped = saved(found.study.trials, found.study.experiment)
    if not stopped.pruned:
        return ""
    return (
        f"{stopped.pruned} stopped early, which saved {stopped.share:.0%} of the updates, {duration(stopped.seconds)}"
    )


def _confirming(found: Status) -> str:
    """What trains on fresh seeds now, the longest first."""
    runs = [
        f"{'default settings' if run['number'] is None else 'trial ' + str(run['number'])} on seed {run['seed']}, "
        f"for {duration(found.progress['written'] - run['started'])}"
        for run in found.confirming
    ]
    more = f"; and {len(runs) - _FRESH} more" if len(runs) > _FRESH else ""
    return f"training {'; '.join(runs[:_FRESH])}{more}" if runs else ""


def _best(found: Status, params: bool = False) -> str:
    """The best-balanced at the end; before, the healthy trial that would be confirmed first, which may still change."""
    trials = found.study.trials
    best = found.study.best if found.state == "finished" else None
    numbers = [best.number] if best else candidates(trials, 1) if len(trials) else []
    if not numbers:
        return ""
    row = trials.loc[trials["number"] == numbers[0]].iloc[0]
    stability, distance = (best.stability, best.distance) if best else (row["stability"], row["distance"])
    told = f"{'best-balanced' if best else 'best so far'}: trial {numbers[0]}, stability {stability:.2f}"
    if math.isfinite(distance):
        told += f", distance {distance:.4g}"
    return told + (f" ({', '.join(_params(found.study.experiment, row))})" if params else "")


def _params(experiment: Experiment, row: pd.Series) -> list[str]:
    """Those that matter most: of a balance its numbers, of a loop of the user's own what is searched."""
    names = list(experiment.search) if experiment.is_loop else ["lr_d", "lr_g", "pretrain_steps", "update_ratio"]
    values = {name: row[name] for name in names if row[name] is not None and row[name] == row[name]}
    return [f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}" for name, value in values.items()]


def _running(found: Status, width: int, most: int) -> Table:
    """A line for each trial that trains. Narrow terminals have fewer columns."""
    budget, nodes = found.study.experiment.training.updates, found.progress["nodes"]
    shown = _columns(width, budget, len(nodes) > 1, any(node["gpus"] for node in nodes))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
    for name in shown:
        table.add_column(name, justify="left" if "▿" in name else "right", no_wrap=True)
    for one in found.running[:most]:
        cells = dict(zip(_COLUMNS, _cells(one, budget, found.progress["written"]), strict=True))
        table.add_row(*(cells[name] for name in shown))
    if len(found.running) > most:
        table.add_row("…", "", f"and {len(found.running) - most} more")
    return table


def _columns(width: int, budget: int, several: bool, gpus: bool) -> list[str]:
    """The columns that fit, the more important first to get room."""
    left = [name for name in _COLUMNS if (gpus or name != "GPU") and (several or name != "node")]
    rooms = {**_COLUMNS, "update": max(_COLUMNS["update"], 2 * len(str(budget)) + 1)}
    for name in _LESS:
        if sum(rooms[one] + 2 for one in left) - 2 <= width:
            break
        if name in left:
            left.remove(name)
    return left


def _cells(one: Mapping[str, Any], budget: int, now: float) -> Iterator[str | Text]:
    probe, rate = one["probe"], one["updates_per_second"]
    yield str(one["number"])
    if probe is None:
        yield from ("", f"starting, {duration(now - one['started'])}", *[""] * 8)
        return
    yield str(probe["seed"])
    yield beliefs(probe["p_real"], probe["p_fake"])
    stability = probe.get("stability")
    yield f"{stability:.2f}" if stability is not None and math.isfinite(stability) else ""
    yield f"{one['distance']:.4g}" if one.get("distance") is not None else ""
    yield f"{probe['update']}/{budget}"
    yield f"{rate:,.0f}" if rate else ""
    yield str(probe.get("gpus") or "")
    yield f"{probe['separability']:.2f}"
    yield f"{probe['saturated_right'] + probe['saturated_wrong']:.0%}"
    yield str(probe.get("node") or "")


def beliefs(p_real: float, p_fake: float) -> Text:
    """What D says of fakes (▿) and of reals (▾) on a line from 0 to 1; a diamond where both are the same."""
    said = {"▿": p_fake, "▾": p_real}
    places = {mark: round(min(1.0, max(0.0, p)) * (_BAR - 1)) for mark, p in said.items() if math.isfinite(p)}
    styles = {"▿": "magenta", "▾": "green"}
    text = Text()
    for place in range(_BAR):
        here = [mark for mark, at in places.items() if at == place]
        if len(here) == 2:
            text.append("◆", style="yellow")
        else:
            text.append(here[0] if here else "·", style=styles[here[0]] if here else "bright_black")
    return text
