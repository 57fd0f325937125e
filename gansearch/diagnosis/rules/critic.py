"""Critics, whose loss estimates a distance up to a scale that is their own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gansearch.diagnosis.rules.evidence import Evidence
from gansearch.diagnosis.rules.finding import Finding

GROWTH, GREAT = 30.0, 20.0
"""Times the first fifth's size of D's loss, and its size, over which in the last tenth a critic runs away."""
SLOPES = (10.0, 1.0)
"""λ(‖∇D‖ − 1)² of a D without slope: λ as WGAN-GP has it, or where the penalty is printed without it."""
FLAT = 1e-3
"""D's loss under which, in size, a critic says the same of real and fake."""


def runaway(evidence: Evidence) -> Iterator[Finding]:
    """A critic whose loss in the last tenth is over 30 times that of the first fifth, and over 20.

    A critic's scale is bounded by its Lipschitz constraint: where it grows by so much, that does not hold it.
    """
    if not evidence.is_critic or evidence.d_loss is None:
        return
    size = np.abs(evidence.means(evidence.d_loss))
    size = size[np.isfinite(size)]
    if len(size) < 10:
        return
    first, last = float(np.median(size[: len(size) // 5])), float(np.median(size[-len(size) // 10 :]))
    limit = max(GREAT, GROWTH * first)
    if last > limit:
        sizes = np.abs(evidence.means(evidence.d_loss))
        text = (
            f"{evidence.d_name} is {last:.4g} in size over the last tenth, and was {first:.4g} over the first fifth: "
            "nothing holds the critic's scale."
        )
        yield Finding("runaway", "likely", text, *evidence.since(np.nan_to_num(sizes) > limit))


def flat(evidence: Evidence) -> Iterator[Finding]:
    """A critic without slope: a penalty of exactly λ beside a loss of 0.

    Where D is constant ‖∇D‖ = 0, so that λ(‖∇D‖ − 1)² = λ, and real and fake have the same score. A slope of 2 has
    the same penalty, so both are asked for.
    """
    if not evidence.has("penalty") or evidence.d_loss is None or evidence.game.loss not in ("wgan", None):
        return
    penalty, loss = evidence.windows("penalty"), evidence.means(evidence.d_loss)
    for scale in SLOPES:
        holds = (np.abs(penalty / scale - 1) < 0.005) & (np.abs(loss) < FLAT * scale)
        if holds[evidence.half :].mean() > 0.95:
            text = (
                f"{evidence.name('penalty')} is {np.nanmean(penalty[evidence.half :]):.4g}, what a critic without any "
                f"slope has, and {evidence.d_name} is 0: D gives real and fake the same score."
            )
            yield Finding("not_training", "likely", text, *evidence.since(holds))
            return
