"""Shares of D's outputs that are certain, by bounds on what is printed of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gansearch.diagnosis.rules import bounds
from gansearch.diagnosis.rules.evidence import Evidence

SCORES = ("score_real", "score_fake", "score_real_std", "score_fake_std")


@dataclass(frozen=True)
class Shares:
    """The least shares of D's outputs, over the last half, that are within .05 of 0 or 1."""

    right: float
    wrong: float
    text: str
    """The numbers that they follow from, as a sentence."""
    why: str
    """The bound."""
    windows: np.ndarray
    """(W, 2): right and wrong of each window."""

    def says(self, share: float, which: str) -> str:
        """The arithmetic in words; `which` is right or wrong."""
        what = f"{percent(share)} of D's outputs are {which} and within .05 of 0 or 1"
        return f"{self.text} So at least {what} ({self.why})."


def certain(evidence: Evidence) -> Iterator[Shares]:
    """By D's mean answers, where they are printed, and by mean and deviation of its logits."""
    if evidence.answers:
        yield _by_answers(evidence)
    if evidence.game.loss == "bce" and evidence.has(*SCORES):
        yield _by_scores(evidence)


def _by_answers(evidence: Evidence) -> Shares:
    p_real, p_fake = evidence.judged("p_real"), evidence.judged("p_fake")
    return Shares(
        right=bounds.right_by_answers(p_real, p_fake),
        wrong=bounds.wrong_by_answers(p_real, p_fake),
        text=(
            f"{evidence.name('p_real')} is {p_real:.3f} and {evidence.name('p_fake')} {p_fake:.3f} on average over the "
            "last half."
        ),
        why="Markov's inequality on how far they are from 1 and 0",
        windows=_each(evidence, ("p_real", "p_fake"), bounds.right_by_answers, bounds.wrong_by_answers),
    )


def _by_scores(evidence: Evidence) -> Shares:
    """By Cantelli's inequality: logits over 2.944 are answers over .95. Deviations within and between lines add up."""
    late = slice(int(evidence.edges[evidence.half]), None)
    values = [evidence.game.values[role][late] for role in SCORES]
    real, fake, real_std, fake_std = (value[np.isfinite(value)] for value in values)
    means = float(real.mean()), float(fake.mean())
    deviations = math.hypot(_root(real_std), real.std()), math.hypot(_root(fake_std), fake.std())
    return Shares(
        right=_right(*means, *deviations),
        wrong=_right(*means[::-1], *deviations[::-1]),
        text=(
            f"{evidence.name('score_real')} is {means[0]:.3g} ± {deviations[0]:.3g} and {evidence.name('score_fake')} "
            f"{means[1]:.3g} ± {deviations[1]:.3g} (standard deviation) over the last half."
        ),
        why="Cantelli's inequality for logits beyond 2.944",
        windows=_each(evidence, SCORES, _right, lambda r, f, rs, fs: _right(f, r, fs, rs)),
    )


def _right(real: float, fake: float, real_std: float, fake_std: float) -> float:
    """The least share of logits that are right and beyond 2.944, by means and standard deviations."""
    reals = bounds.beyond(real, real_std**2, bounds.CERTAIN)
    return (reals + bounds.beyond(-fake, fake_std**2, bounds.CERTAIN)) / 2


def _each(
    evidence: Evidence, roles: tuple[str, ...], right: Callable[..., float], wrong: Callable[..., float]
) -> np.ndarray:
    rows = zip(*(evidence.windows(role) for role in roles), strict=True)
    return np.array([(right(*row), wrong(*row)) for row in rows])


def _root(deviations: np.ndarray) -> float:
    """The root of the mean square."""
    return float(np.sqrt(np.mean(deviations**2)))


def percent(share: float) -> str:
    """A share that is a least one, rounded down, so that it stays one."""
    return f"{math.floor(share * 1000 + 1e-6) / 10:.1f}%"
