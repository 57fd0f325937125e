"""What follows for single samples from means over them: bounds that hold for any discriminator and any data.

φ is D's loss of one sample, on its half: −ln σ(s) of a real score s under BCE, max(0, 1 − s) under hinge, (s − 1)²
under LSGAN, and the mirror image for fakes. φ₀ is its value where D decides, at s = 0 (LSGAN: ½). L is the mean of D's
two halves, real and fake. Means over lines of a log are means over their samples, so all of this holds for windows.
"""

from __future__ import annotations

import math

import numpy as np

CHANCE = {"bce": math.log(2), "hinge": 1.0, "lsgan": 0.25}
"""φ₀: the mean half of D's loss if D always answers that it cannot tell."""
EPSILON = 0.05
"""An output is saturated within this of 0 or 1."""
CERTAIN = math.log((1 - EPSILON) / EPSILON)
"""The logit of such an output, 2.944, in size."""
HALVES = {"sum": 2.0, "mean": 1.0, "sum of three": 3.0}
"""Halves of D's loss that a printed number adds up; TimeGAN's D sees two kinds of fakes."""


def chance(loss: str, halves: str) -> float:
    """D's loss as it is printed, of a D that always answers that it cannot tell: ln 4 of a sum under BCE."""
    return CHANCE[loss] * HALVES[halves]


def accuracy_least(u: float) -> float:
    """The least accuracy of a D whose loss is u times its value at chance.

    A sample on the wrong side of the boundary costs at least φ₀, so 1{error} ≤ φ/φ₀, and the mean error ≤ L/φ₀ = u.
    """
    return max(0.0, 1 - u)


def separability_least(u: float) -> float:
    """The least area under the ROC curve of such a D.

    A pair of a right real and a right fake is ordered right, so AUC ≥ 1 − error_real − error_fake = 1 − 2 · error.
    """
    return max(0.0, 1 - 2 * u)


def right_by_answers(p_real: float, p_fake: float, epsilon: float = EPSILON) -> float:
    """The least share of outputs that are right and within ε of 0 or 1, by the means D(x) and D(G(z)).

    An output that is not is at least ε from its right answer, so by Markov's inequality the share of such ones is at
    most ((1 − D(x)) + D(G(z))) / 2ε.
    """
    return max(0.0, 1 - (1 - p_real + p_fake) / (2 * epsilon))


def right_by_loss(mean_half: float, epsilon: float = EPSILON) -> float:
    """The same by the mean half of D's loss under BCE: an output that far from its answer costs −ln(1 − ε) or more."""
    return max(0.0, 1 - mean_half / -math.log1p(-epsilon))


def right_at_most(p_real: float, g_loss: float, epsilon: float = EPSILON) -> float:
    """The greatest share of outputs that are right and within ε of 0 or 1, by D(x) and G's −ln D(G(z)).

    Reals above 1 − ε are at most a share D(x)/(1 − ε); fakes under ε cost G −ln ε each, so they are at most a share
    g_loss/−ln ε. Both by Markov's inequality.
    """
    return (min(1.0, p_real / (1 - epsilon)) + min(1.0, g_loss / -math.log(epsilon))) / 2


def wrong_by_answers(p_real: float, p_fake: float, epsilon: float = EPSILON) -> float:
    """The least share of outputs that are wrong and within ε of 0 or 1, by the means D(x) and D(G(z)).

    Fakes that are not have an answer at least ε below 1, so they are at most a share (1 − D(G(z)))/ε; reals likewise.
    """
    fakes, reals = 1 - (1 - p_fake) / epsilon, 1 - p_real / epsilon
    return (max(0.0, fakes) + max(0.0, reals)) / 2


def beyond(mean: float, variance: float, limit: float) -> float:
    """The least share of numbers above a limit, by their mean and variance; 0 where the mean is not above it.

    Cantelli's inequality: a share of at most v/(v + a²) lies a or more below the mean.
    """
    above = mean - limit
    return above**2 / (variance + above**2) if above > 0 else 0.0


def least_sum(p_real: np.ndarray, p_fake: np.ndarray) -> np.ndarray:
    """The least sum of D's halves under BCE whose mean answers these are.

    −ln is convex, so by Jensen's inequality E[−ln D(x)] ≥ −ln E D(x), and likewise for 1 − D(G(z)).
    """
    with np.errstate(divide="ignore"):
        return -np.log(np.clip(p_real, 0, 1)) - np.log1p(-np.clip(p_fake, 0, 1))


def sides(g_loss: np.ndarray, d_fake: np.ndarray) -> np.ndarray:
    """e^−G + e^−D, at most 1 where both are of one D and the same fakes under BCE, G's loss being −ln D(G(z)).

    By Jensen's inequality e^−G ≤ E D(G(z)) and e^−D ≤ 1 − E D(G(z)), D being the half for fakes; the sum of both
    halves is not less. Between the two numbers lies a step of D, or a few of G's.
    """
    return np.exp(-np.clip(g_loss, -1, None)) + np.exp(-np.clip(d_fake, -1, None))
