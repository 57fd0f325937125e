"""Columns that cannot be what they are called."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gansearch.diagnosis.rules import bounds
from gansearch.diagnosis.rules.evidence import Evidence
from gansearch.diagnosis.rules.finding import Finding

FAR = 1.25
"""e^−G + e^−D beyond which, at most 1 for one D, a step between the two is no explanation."""
APART = 0.1
"""How far D(G(z)) may be under what G's loss allows: printed digits are rounded."""
FEWEST = 5
"""Windows under which nothing is said."""


def contradiction(evidence: Evidence) -> Iterator[Finding]:
    """Losses under 0 that cannot be; losses under what mean answers allow; two losses that are not of one game.

    −ln σ, hinge and squares are never negative. By Jensen's inequality the sum of D's halves under BCE is at least
    −ln D(x) − ln(1 − D(G(z))), and G's loss at least −ln D(G(z)). And e^−G + e^−D ≤ 1, see `bounds.sides`. Half of the
    windows of the last half have to break a bound.
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
        least = float(bounds.least_sum(np.clip(p_real, 0.01, 1), np.clip(p_fake, 0, 0.99)))
        text = (
            f"{evidence.d_name} is less than a D can have whose mean answers are {evidence.name('p_real')} = "
            f"{p_real:.3f} and {evidence.name('p_fake')} = {p_fake:.3f}: the sum of its halves is at least {least:.3g} "
            "(Jensen: -ln D(x) - ln(1 - D(G(z))))."
        )
        yield Finding("contradiction", "proven", text, *evidence.at(int(evidence.edges[evidence.half])))
        return
    wrong_label = list(_label_of_g(evidence))
    yield from wrong_label or two_games(evidence)


def _label_of_g(evidence: Evidence) -> Iterator[Finding]:
    """A loss of G that says that D takes its samples for real, beside a D(G(z)) of the same pass that says otherwise.

    −ln is convex, so G = E[−ln D(G(z))] ≥ −ln E D(G(z)), and e^−G ≤ D(G(z)).
    """
    if not evidence.answers or not evidence.has("g_loss", "p_fake_after"):
        return
    g_loss, p_fake = (evidence.windows(role)[evidence.half :] for role in ("g_loss", "p_fake_after"))
    known = np.isfinite(g_loss) & np.isfinite(p_fake) & (g_loss >= 0)
    if known.sum() < FEWEST or np.median(np.exp(-g_loss[known]) - p_fake[known]) < APART:
        return
    g, p = np.median(g_loss[known]), np.median(p_fake[known])
    text = (
        f"{evidence.name('g_loss')} = {g:.3g} says that D takes G's samples for real, at least {np.exp(-g):.2f} on "
        f"average (Jensen: e^-{evidence.name('g_loss')}), {evidence.name('p_fake_after')} = {p:.3f} that it does not. "
        "G may be trained with the label of fakes."
    )
    yield Finding("contradiction", "proven", text, *evidence.at(int(evidence.edges[evidence.half])))


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
