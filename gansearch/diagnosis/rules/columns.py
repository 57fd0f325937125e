"""Columns that cannot be what they are called."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gansearch.diagnosis.rules import bounds
from gansearch.diagnosis.rules.evidence import Evidence
from gansearch.diagnosis.rules.finding import Finding

FAR = 1.25
"""e^−G + e^−D beyond which, at most 1 for one D, a step between the two is no explanation."""
FEWEST = 5
"""Windows under which nothing is said."""


def contradiction(evidence: Evidence) -> Iterator[Finding]:
    """Losses under 0 that cannot be; losses under what mean answers allow; two losses that are not of one game.

    −ln σ, hinge and squares are never negative. By Jensen's inequality the sum of D's halves under BCE is at least
    −ln D(x) − ln(1 − D(G(z))). And e^−G + e^−D ≤ 1, see `bounds.sides`. Half of the windows of the last half have to
    break a bound.
    """
    loss = evidence.game.loss
    if loss in bounds.CHANCE and evidence.negative > 0.01 and evidence.d_loss is not None:
        record = int(np.flatnonzero(np.nan_to_num(evidence.d_loss) < -1e-3)[0])
        text = (
            f"{evidence.d_name} is below 0 on {evidence.negative:.0%} of the records, which no {loss} loss is. It may "
            "be a critic's (--loss wgan), or hold other terms."
        )
        yield Finding("contradiction", "proven", text, *evidence.at(record))
        return
    if loss != "bce" or evidence.d_loss is None or not evidence.candidates:
        return
    if not evidence.possible:
        p_real, p_fake = evidence.judged("p_real"), evidence.judged("p_fake")
        least = float(bounds.least_sum(np.array(p_real), np.array(p_fake)))
        text = (
            f"{evidence.d_name} is less than a D can have whose mean answers are {evidence.name('p_real')} = "
            f"{p_real:.3f} and {evidence.name('p_fake')} = {p_fake:.3f}: the sum of its halves is at least {least:.3g} "
            "(Jensen: -ln D(x) - ln(1 - D(G(z))))."
        )
        yield Finding("contradiction", "proven", text, *evidence.at(int(evidence.edges[evidence.half])))
        return
    yield from two_games(evidence)


def two_games(evidence: Evidence) -> Iterator[Finding]:
    """Losses of D and G that under BCE no D has at the same time."""
    if evidence.d_loss is None or evidence.is_critic or not evidence.has("g_loss"):
        return
    g_loss = evidence.windows("g_loss")
    if np.nanmedian(g_loss) < 0:
        return  # G minimises ln(1 − D(G(z))), which is never above 0
    half = evidence.has("d_loss_fake")
    d_fake = evidence.windows("d_loss_fake") if half else evidence.means(evidence.d_loss)
    # Of the mean of two halves twice as much is the sum. Where neither is known the larger one, which allows more.
    factor = 1.0 if half or evidence.game.halves == "sum" or evidence.has("d_loss_real", "d_loss_fake") else 2.0
    sides = bounds.sides(g_loss, factor * d_fake)
    known = sides[evidence.half :][np.isfinite(sides[evidence.half :])]
    if len(known) < FEWEST or np.median(known) <= FAR:
        return
    g, d = np.nanmedian(g_loss[evidence.half :]), np.nanmedian(d_fake[evidence.half :])
    name = evidence.name("d_loss_fake") if half else evidence.d_name
    times = "" if factor == 1 else f"{factor:.0f} · "
    text = (
        f"{name} = {d:.3g} says that D rejects G's samples, {evidence.name('g_loss')} = {g:.3g} that it accepts them: "
        f"e^-{g:.3g} + e^-({times}{d:.3g}) = {np.median(known):.2f}, at most 1 for one D and the same samples. One of "
        "them has a weight or other terms, or is of another D; or each step of a network undoes the other's."
    )
    yield Finding("contradiction", "likely", text, *evidence.since(sides > FAR))
