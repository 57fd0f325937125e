"""Curves of a log as SVG: drawn without a plotting library, so that a page of many is small and made at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gansearch.diagnosis.rules.bounds import chance
from gansearch.diagnosis.rules.evidence import Evidence
from gansearch.diagnosis.rules.finding import Finding
from gansearch.diagnosis.training_log import Game, TrainingLog
from gansearch.formatting import step_text

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 200, 56, 22, 10
POINTS = 360
"""Of a curve at most; each is the mean of its records, in a band from the least to the greatest."""
OUTSIDE = 0.01
"""Share of the records, above and below, that may lie outside of a chart, so that a few do not flatten all others."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Those of Okabe and Ito (2008), which the colour-blind tell apart."""
PANELS = (
    ("d_loss", "d_loss_real", "d_loss_fake"),
    ("g_loss", "g_total"),
    ("p_real", "p_fake", "p_fake_after"),
    ("score_real", "score_fake"),
    ("sign_real", "sign_fake", "augment"),
    ("accuracy", "accuracy_real", "accuracy_fake"),
    ("penalty",),
)
"""Roles that are drawn in one chart."""


@dataclass(frozen=True)
class Curve:
    """One line of a chart."""

    name: str
    colour: str
    line: str
    """Points of a polyline: "x,y x,y"."""
    band: str
    """Points of the polygon between the least and the greatest."""


@dataclass(frozen=True)
class Chart:
    """What a template draws; coordinates are of a WIDTH × HEIGHT picture."""

    title: str
    curves: tuple[Curve, ...]
    levels: tuple[tuple[float, str], ...]
    """(y, text) of horizontal lines: D's loss at chance."""
    ticks: tuple[tuple[float, str], ...]
    steps: tuple[tuple[float, str], ...]
    marks: tuple[tuple[float, int], ...]
    """(x, number of the finding) of where findings begin."""


def charts(log: TrainingLog, findings: Sequence[Finding]) -> Iterator[Chart]:
    """The charts of a log: its games' columns and its metrics, with the findings that are numbered from 1."""
    numbered = list(enumerate(findings, 1))
    for game in log.games:
        marks = [(finding.since, n) for n, finding in numbered if finding.game == game.name and finding.is_verdict]
        for roles in PANELS:
            drawn = {game.columns[role]: game.values[role] for role in roles if role in game.values}
            levels = _chance(Evidence(log, game)) if roles[0] == "d_loss" else ()
            title = f"{game.name}: " if game.name else ""
            yield from _chart(log, title + ", ".join(drawn), drawn, levels, marks)
    for name, values in log.metrics.items():
        marks = [
            (finding.since, n) for n, finding in numbered if finding.text.startswith(f"{name} ") and finding.is_verdict
        ]
        yield from _chart(log, name, {name: values}, (), marks)


def _chance(evidence: Evidence) -> tuple[tuple[float, str], ...]:
    game: Game = evidence.game
    if "d_loss" not in game.values:  # its halves are drawn
        one = next(iter(evidence.candidates), None)
        return ((chance(one.loss, "mean"), "a half at chance"),) if one and game.loss else ()
    if not game.loss:
        return ()
    return tuple((one.chance, f"at chance ({one.halves})") for one in evidence.candidates)


def _chart(
    log: TrainingLog,
    title: str,
    drawn: Mapping[str, np.ndarray],
    levels: Sequence[tuple[float, str]],
    marks: Sequence[tuple[float | None, int]],
) -> Iterator[Chart]:
    """The chart of some columns; none where they have no finite number."""
    finite = [values[np.isfinite(values)] for values in drawn.values()]
    finite = [values for values in finite if len(values)]
    if not finite:
        return
    low = min(float(np.quantile(values, OUTSIDE)) for values in finite)
    high = max(float(np.quantile(values, 1 - OUTSIDE)) for values in finite)
    low, high = min([low, *(y for y, _ in levels)]), max([high, *(y for y, _ in levels)])
    margin = max(0.05 * (high - low), 1e-6 * max(abs(low), abs(high))) or 0.5
    low, high = low - margin, high + margin
    first, last = float(log.steps[0]), float(log.steps[-1])

    def across(step: np.ndarray) -> np.ndarray:
        return LEFT + (WIDTH - LEFT - 8) * (np.asarray(step) - first) / ((last - first) or 1.0)

    def down(value: np.ndarray) -> np.ndarray:
        share = (np.clip(value, low, high) - low) / (high - low)
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)

    curves = []
    for colour, (name, values) in zip(COLOURS, drawn.items(), strict=False):
        points = _points(log.steps, values)
        if points is not None:
            x, least, mean, greatest = across(points[0]), *(down(part) for part in points[1:])
            band = [*zip(x, least, strict=True), *zip(x[::-1], greatest[::-1], strict=True)]
            curves.append(Curve(name, colour, _path(zip(x, mean, strict=True)), _path(band)))
    ticks = [(float(down(np.array(y))), f"{y:.3g}") for y in np.linspace(low + margin, high - margin, 3)]
    steps = [(float(across(np.array(step))), step_text(step)) for step in (first, (first + last) / 2, last)]
    yield Chart(
        title,
        tuple(curves),
        tuple((float(down(np.array(y))), text) for y, text in levels),
        tuple(ticks),
        tuple(steps),
        tuple((float(across(np.array(since))), number) for since, number in marks if since is not None),
    )


def _points(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, ...] | None:
    """(x, least, mean, greatest) of at most POINTS groups of records in a row."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return None
    starts = np.unique(np.linspace(0, len(known), min(POINTS, len(known)), endpoint=False).astype(int))
    counts = np.diff([*starts, len(known)])
    some = values[known]
    mean = np.add.reduceat(some, starts) / counts
    return steps[known][starts], np.minimum.reduceat(some, starts), mean, np.maximum.reduceat(some, starts)


def _path(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
