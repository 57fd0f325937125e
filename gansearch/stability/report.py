"""The report on a run: windows over it, the score in [0, 1], the verdict and its sentence."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gansearch.formatting import without_nan
from gansearch.stability.classes import within
from gansearch.stability.ending import late_trouble
from gansearch.stability.figure import windows_figure
from gansearch.stability.referee import Ruling
from gansearch.stability.sentence import gradient_trouble, sentence
from gansearch.stability.verdict import blind, of_samples, verdict_of
from gansearch.stability.window import Window

WINDOWS = 10
"""Windows of a report, evenly over the run."""

NUMBERS = (
    *("stability", "saturated_right", "saturated_wrong", "separability", "accuracy", "accuracy_real", "accuracy_fake"),
    *("loss_volatility", "grad_norm", "grad_variation", "held_out_gap", "apart", "diversity", "moved"),
)
"""The fields of a report that are numbers at any time of a run."""


@dataclass(frozen=True)
class StabilityReport:
    """How stable a run was, and why. Measures are of the scored part; NaN where they are not known."""

    stability: float
    """In [0, 1]; 1 is a discriminator and a generator that are each other's match."""
    verdict: str
    sentence: str
    saturated_right: float
    """Share of outputs within .05 of 0 or 1 and correct; real and fake weigh the same."""
    saturated_wrong: float
    """Share of outputs within .05 of 0 or 1 and not correct."""
    separability: float
    accuracy: float
    """Mean of the next two."""
    accuracy_real: float
    accuracy_fake: float
    loss_volatility: float
    """Standard deviation of D's loss between probes, nats."""
    grad_norm: float
    """Mean 2-norm of G's gradient before the optimizer."""
    grad_variation: float
    """Its coefficient of variation between probes."""
    gradient: str
    """What is wrong with G's gradient: "vanishing", "exploding", "noisy", or empty."""
    held_out_gap: float
    """2 · P(D scores a training real above a held-out one) − 1: 0 for a fair D, 1 for one that memorises."""
    referee_gap: float
    """The referee's separability minus D's."""
    apart: float
    """√ of the energy coefficient of fakes and reals: 0 equal distributions, 1 nothing in common."""
    diversity: float
    """Mean distance between fakes over that between reals."""
    moved: float
    """√ of the energy coefficient of the fakes of two probes in a row: how far G moves between them."""
    late_since: float
    """The last step before trouble that began late and lasted to the end, which is the verdict; NaN without such."""
    observer_auc: float
    """Area under the ROC curve of the strongest cheap observer, real against fake; NaN where none was asked."""
    windows: list[dict[str, float | str]]

    def __str__(self) -> str:
        return f"{self.verdict} (stability {self.stability:.2f}): {self.sentence}"

    def summary(self) -> dict[str, Any]:
        """The report as plain data for JSON, with None for NaN."""
        data: dict[str, Any] = without_nan(dataclasses.asdict(self))
        return data

    def figure(self) -> Any:
        """The windows as a plotly figure: D's answers, saturation, separability, G's gradient. Needs no sweep."""
        windows = [{**window, "grad_norm_g": window["grad_norm"]} for window in self.windows]
        return windows_figure(windows, self.verdict, str(self), self.late_since)


def judge(rows: Sequence[Window], since: int = 0, ruling: Ruling | None = None) -> StabilityReport:
    """Judges the rows from step `since` on (the last row at least).

    Verdict and score are of these as a whole, unless the run ended in worse trouble: then they are of its end, because
    that is what is exported. The measures are of the whole.
    """
    scored_rows = [row for row in rows if row.step > since] or [rows[-1]]
    scored = functools.reduce(operator.add, scored_rows)
    windows = [functools.reduce(operator.add, part) for part in _parts(rows)]
    verdict = verdict_of(scored, sum(row.invalid for row in rows), scored.swing, ruling)
    stability = _stability(scored, verdict, ruling)
    late, judged = late_trouble(scored_rows, verdict, ruling), scored
    if late:
        verdict, judged = late.verdict, late.window
        stability = min(stability, _stability(judged, verdict, ruling))
    gradient = gradient_trouble(judged, windows)
    return StabilityReport(
        stability=stability,
        verdict=verdict,
        sentence=sentence(verdict, judged, windows, gradient, ruling, late),
        saturated_right=scored.saturated_right(),
        saturated_wrong=scored.saturated_wrong(),
        separability=scored.mean_separability,
        accuracy=scored.accuracy,
        accuracy_real=scored.accuracy_real,
        accuracy_fake=scored.accuracy_fake,
        loss_volatility=scored.loss_volatility,
        grad_norm=scored.grad_norm,
        grad_variation=scored.grad_variation,
        gradient=gradient,
        held_out_gap=scored.mean("held_out_gap"),
        referee_gap=math.nan if ruling is None else ruling.separability - scored.mean_separability,
        apart=of_samples("apart", scored, ruling),
        diversity=of_samples("diversity", scored, ruling),
        moved=scored.mean("moved"),
        late_since=late.since if late else math.nan,
        observer_auc=ruling.observation.auc if ruling and ruling.observation else math.nan,
        windows=[_describe(window) for window in windows],
    )


def _stability(window: Window, verdict: str, ruling: Ruling | None) -> float:
    """1 − (.6·apart + .3·separable² + .1·saturated), in [0, 1].

    separable = 2 · separability − 1, the referee's (an observer's that tells more, and surely) or, without one, D's
    own. It is squared, because near 1 a small
    difference of a referee's separability is a large one of the samples. Where G is given classes, apart is at least
    how far its samples are from the data of their class. Without samples the score is
    1 − ½·(separable + saturated). It is halved for collapsed samples, since a few points of the data, repeated, are not
    far from it, and for a D that separates nothing where no referee does.
    """
    if verdict == "diverged":
        return 0.0
    unheard = verdict == "uninformative" and ruling is None and blind(window)
    factor = 0.5 if verdict == "collapsed" or unheard else 1.0
    saturation = window.saturated_right() + window.saturated_wrong()
    apart = of_samples("apart", window, ruling)
    if ruling is not None:
        apart = max(apart, within(ruling.classes))
    separable = abs(2 * window.mean_separability - 1) if ruling is None else 2 * max(ruling.told, 0.5) - 1
    if math.isnan(apart):
        return factor * (1 - 0.5 * (separable + saturation))
    return factor * (1 - (0.6 * apart + 0.3 * separable**2 + 0.1 * saturation))


def _parts(rows: Sequence[Window]) -> list[Sequence[Window]]:
    count = min(WINDOWS, len(rows))
    edges = [round(i * len(rows) / count) for i in range(count + 1)]
    return [rows[a:b] for a, b in itertools.pairwise(edges)]


def _describe(window: Window) -> dict[str, float | str]:
    return {
        "step": window.step,
        "verdict": verdict_of(window, window.invalid),
        "saturated_right": window.saturated_right(),
        "saturated_wrong": window.saturated_wrong(),
        "separability": window.mean_separability,
        "accuracy": window.accuracy,
        "p_real": window.mean_p_real,
        "p_fake": window.mean_p_fake,
        "loss_d": window.loss_d / window.probes,
        "grad_norm": window.grad_norm,
        "grad_variation": window.grad_variation,
        **{name: window.mean(name) for name in ("held_out_gap", "apart", "diversity", "distinctness", "moved")},
    }
