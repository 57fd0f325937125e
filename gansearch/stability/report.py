"""From counts to a judgement: windows over a run, the score in [0, 1], the verdict and its sentence."""

from __future__ import annotations

import functools
import itertools
import math
import operator
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gansearch.stability.measures import EPSILONS
from gansearch.stability.referee import Ruling
from gansearch.stability.verdict import ADVICE

WINDOWS = 10
"""Windows of a report, evenly over the run."""

WON = 0.9
"""Share of outputs that are right and within .01 of 0 or 1, from which D has won outright."""
SATURATED = 0.5
"""Share of outputs that are right and within .05 of 0 or 1, from which D is too strong."""
FOOLED = 0.2
"""Share of outputs that are wrong and within .05 of 0 or 1, from which G fools D."""
BEHIND = 0.35
"""Separability under which D ranks fakes above reals."""
CERTAIN = 0.9
"""Separability from which D is right about nearly everything; harmless while the samples are near the data."""
BLIND = 0.02
"""|separability − ½| under which D tells nothing apart."""
TELLING = 0.7
"""A referee's separability from which there is something to tell apart."""
APART = 0.25
"""How far samples may be from the data (`Ruling.apart`) to be called balanced."""
GAP, NEAR = 0.3, 0.15
"""What a referee separates beyond D, from which D tells G too little, unless the samples are nearer than this."""
COLLAPSED = 0.3
"""Diversity under which the samples are one point or a few."""
SWING, WILD = 0.1, 0.25
"""Standard deviations of separability between probes at which D and G chase each other: far from the data, near it."""


@dataclass(frozen=True)
class Window:
    """Sums over some consecutive probes; shares are exact, with real and fake weighted equally."""

    step: float
    probes: float
    n_real: float
    n_fake: float
    invalid: float
    p_real: float
    p_fake: float
    separability: float
    correct_real: float
    correct_fake: float
    loss_d: float
    loss_d_square: float
    grads: float
    grad: float
    grad_square: float
    gaps: float
    held_out_gap: float
    looks: float
    apart: float
    diversity: float
    distinctness: float
    moved: float
    real_high: tuple[float, ...] = field(repr=False)
    real_low: tuple[float, ...] = field(repr=False)
    fake_high: tuple[float, ...] = field(repr=False)
    fake_low: tuple[float, ...] = field(repr=False)

    def __add__(self, later: Window) -> Window:
        sums: dict[str, Any] = {
            name: tuple(map(operator.add, mine, theirs)) if isinstance(mine, tuple) else mine + theirs
            for (name, mine), theirs in zip(vars(self).items(), vars(later).values(), strict=True)
        }
        return Window(**{**sums, "step": later.step})

    def saturated_right(self, epsilon: float = 0.05) -> float:
        """Share of outputs that are confident and correct."""
        i = EPSILONS.index(epsilon)
        return (self.real_high[i] / self.n_real + self.fake_low[i] / self.n_fake) / 2

    def saturated_wrong(self, epsilon: float = 0.05) -> float:
        """Share of outputs that are confident and wrong."""
        i = EPSILONS.index(epsilon)
        return (self.real_low[i] / self.n_real + self.fake_high[i] / self.n_fake) / 2

    @property
    def mean_separability(self) -> float:
        return self.separability / self.probes

    @property
    def mean_p_real(self) -> float:
        return self.p_real / self.n_real

    @property
    def mean_p_fake(self) -> float:
        return self.p_fake / self.n_fake

    @property
    def accuracy(self) -> float:
        """Balanced accuracy at probability ½."""
        return (self.correct_real / self.n_real + self.correct_fake / self.n_fake) / 2

    @property
    def grad_variation(self) -> float:
        """Coefficient of variation of the generator's gradient norm between probes; NaN if it was not given."""
        if self.grads < 2 or self.grad <= 0:
            return math.nan
        mean = self.grad / self.grads
        return math.sqrt(max(0.0, self.grad_square / self.grads - mean * mean)) / mean


@dataclass(frozen=True)
class StabilityReport:
    """How stable a run was, and why."""

    stability: float
    """In [0, 1]; 1 is a discriminator and a generator that are each other's match."""
    verdict: str
    sentence: str
    saturated_right: float
    saturated_wrong: float
    separability: float
    accuracy: float
    referee_gap: float
    """What the referee separates and D does not; NaN without a referee."""
    windows: list[dict[str, float | str]]

    def __str__(self) -> str:
        return f"{self.verdict} (stability {self.stability:.2f}): {self.sentence}"


def judge(rows: Sequence[Window], since: int = 0, ruling: Ruling | None = None) -> StabilityReport:
    """Judges the rows from step `since` on (the last row at least)."""
    scored_rows = [row for row in rows if row.step > since] or [rows[-1]]
    scored = functools.reduce(operator.add, scored_rows)
    swing = statistics.pstdev(row.mean_separability for row in scored_rows)
    invalid = sum(row.invalid for row in rows)
    verdict = _verdict(scored, invalid, swing, ruling)
    windows = [functools.reduce(operator.add, part) for part in _parts(rows)]
    return StabilityReport(
        stability=_stability(scored, verdict, ruling),
        verdict=verdict,
        sentence=_sentence(verdict, scored, windows, swing, ruling),
        saturated_right=scored.saturated_right(),
        saturated_wrong=scored.saturated_wrong(),
        separability=scored.mean_separability,
        accuracy=scored.accuracy,
        referee_gap=math.nan if ruling is None else ruling.separability - scored.mean_separability,
        windows=[_describe(window) for window in windows],
    )


def hopeless(rows: Sequence[Window], share: float) -> str | None:
    """Why a run is beyond hope after `share` of its updates, or None. Both leave pretraining out.

    Its numbers are no longer finite; or for the last half of its probes D was certain and right about nearly
    everything, or certain and wrong about most.
    """
    if any(row.invalid for row in rows):
        return "D's scores are no longer finite numbers"
    if share < 0.4 or len(rows) < 12:
        return None
    late = rows[-max(4, len(rows) // 2) :]
    if all(row.saturated_right(0.01) > 0.9 for row in late):
        return f"D has been certain and right about over 90% of all samples since update {late[0].step:.0f}"
    if all(row.saturated_wrong(0.05) > 0.5 for row in late):
        return f"D has been certain and wrong about over half of all samples since update {late[0].step:.0f}"
    return None


def _verdict(window: Window, invalid: float, swing: float = 0.0, ruling: Ruling | None = None) -> str:
    separability = window.mean_separability
    blind = abs(separability - 0.5) < BLIND
    if invalid:
        return "diverged"
    if window.saturated_right(0.01) > WON:
        return "discriminator_saturated"
    if ruling is not None and ruling.diversity < COLLAPSED:
        return "collapsed"
    if window.saturated_right() > SATURATED:
        return "discriminator_saturated"
    if window.saturated_wrong() > FOOLED or separability < BEHIND:
        return "generator_dominates"
    if ruling is None:
        return "uninformative" if blind else "oscillating" if swing > WILD else "balanced"
    if ruling.apart > APART:
        # The samples are far from the data: D is too strong, or moves too fast, or teaches too little.
        return (
            "discriminator_saturated" if separability > CERTAIN else "oscillating" if swing > SWING else "uninformative"
        )
    gap = ruling.separability - separability
    if (blind and ruling.separability > TELLING) or (gap > GAP and ruling.apart > NEAR):
        return "uninformative"
    return "oscillating" if swing > WILD else "balanced"


def _stability(window: Window, verdict: str, ruling: Ruling | None) -> float:
    """1 − (.7·apart + .1·(what a referee separates, from 0 to 1) + .2·(saturated right and wrong)).

    Without a ruling D itself has to say what can be told apart, and a D that tells nothing counts as half.
    """
    if verdict == "diverged":
        return 0.0
    saturation = window.saturated_right() + window.saturated_wrong()
    if ruling is not None:
        told = 2 * max(ruling.separability, 0.5) - 1
        return 1 - (0.7 * ruling.apart + 0.1 * told + 0.2 * saturation)
    told = abs(2 * window.mean_separability - 1)
    return (1 - 0.5 * (told + saturation)) * (0.5 if verdict == "uninformative" else 1.0)


def _parts(rows: Sequence[Window]) -> list[Sequence[Window]]:
    count = min(WINDOWS, len(rows))
    edges = [round(i * len(rows) / count) for i in range(count + 1)]
    return [rows[a:b] for a, b in itertools.pairwise(edges)]


def _describe(window: Window) -> dict[str, float | str]:
    return {
        "step": window.step,
        "verdict": _verdict(window, window.invalid),
        "saturated_right": window.saturated_right(),
        "saturated_wrong": window.saturated_wrong(),
        "separability": window.mean_separability,
        "p_real": window.mean_p_real,
        "p_fake": window.mean_p_fake,
        "grad_variation": window.grad_variation,
    }


def _sentence(verdict: str, scored: Window, windows: Sequence[Window], swing: float, ruling: Ruling | None) -> str:
    start = _since(verdict, windows)
    separability, right, wrong = scored.mean_separability, scored.saturated_right(), scored.saturated_wrong()
    told = f"D separates real from fake at {separability:.2f}"
    if ruling is not None:
        told += f", a fresh referee at {ruling.separability:.2f}"
    sure = f"{_percent(right)} of its outputs are right and within .05 of 0 or 1"
    if verdict == "diverged":
        what = f"Scores, losses or samples stopped being finite numbers by update {start}."
    elif verdict == "collapsed" and ruling is not None:
        what = f"G makes nearly the same sample always: they spread {_percent(ruling.diversity)} as wide as the data."
    elif verdict == "discriminator_saturated":
        gradient = scored.grad_variation
        what = f"D is too strong from update {start} on: it separates at {separability:.2f}, {sure}" + (
            f", and G's gradient varies by {gradient:.1f} times its mean." if math.isfinite(gradient) else "."
        )
    elif verdict == "generator_dominates":
        what = (
            f"G fools D from update {start} on: {_percent(wrong)} of D's outputs are wrong and within .05 of 0 or 1, "
            f"and it separates at {separability:.2f}."
        )
    elif verdict == "uninformative" and ruling is None:
        what = f"{told}: it tells nothing apart. A converged GAN looks the same; a referee could say which it is."
    elif verdict == "uninformative":
        what = f"{told}: what D says does not bring G nearer to the data."
    elif verdict == "oscillating":
        what = f"D and G chase each other: separability swings by {swing:.2f} about {separability:.2f}."
    else:
        what = f"{told}; {sure}."
    return f"{what} {ADVICE[verdict]}".strip()


def _since(verdict: str, windows: Sequence[Window]) -> int:
    """The update from which on a verdict held without a break."""
    start = windows[-1].step
    for index in range(len(windows) - 1, -1, -1):
        window = windows[index]
        if _verdict(window, window.invalid) != verdict:
            break
        start = windows[index - 1].step if index else 0
    return int(start)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
