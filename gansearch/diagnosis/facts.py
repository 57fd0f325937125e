"""What follows for certain from a log in which nothing is wrong, and what no such log can show."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gansearch.diagnosis.rules import bounds
from gansearch.diagnosis.rules.evidence import Evidence
from gansearch.diagnosis.rules.shares import percent

NOTHING_WRONG = "Nothing that this log can show is wrong."
CANNOT_SHOW = (
    "Losses cannot show whether G's samples are good, or how many different ones it makes: a G that repeats one sample "
    "prints the same numbers. Nor do they show which of two runs is better, or how long to train. For that D has to be "
    "asked about samples that it was not trained on:"
)
MONITOR = (
    "monitor = gansearch.StabilityMonitor()       # for D's raw scores, before a sigmoid",
    "monitor.update(D(held_out_reals), D(fakes))  # every hundred steps or so",
    "print(monitor.report())",
)
SEARCH = "To search for the balance with your own loop: gansearch init my_gan --from-loop"


def facts(evidence: Evidence) -> Iterator[str]:
    """What the last half's numbers bound: D's accuracy and separability, and its saturation where that is ruled out."""
    if len(evidence.assumptions) == 1 and evidence.d_loss is not None:
        (one,) = evidence.assumptions
        half = evidence.d_loss[evidence.edges[evidence.half] :]
        u = float(evidence.means(evidence.d_loss)[evidence.half :].mean() / one.chance) if len(half) else math.nan
        if u < 1:
            text = (
                f"{evidence.d_name} averages {u * one.chance:.4g} over the last half, {u:.2f} of its value at chance, "
            )
            text += f"{one.chance:.4g}"
            yield text + (f": D is right about at least {percent(1 - u)} of its batches." if u <= 0.5 else ".")
    if evidence.answers and evidence.has("g_loss") and evidence.game.loss == "bce":
        p_real, g_loss = evidence.judged("p_real"), evidence.judged("g_loss")
        most = bounds.right_at_most(p_real, g_loss)
        if g_loss >= 0 and most < 0.5:
            yield (
                f"{evidence.name('p_real')} and {evidence.name('g_loss')} average {p_real:.3f} and {g_loss:.3g}: at "
                f"most {math.ceil(most * 100)}% of D's outputs are right and within .05 of 0 or 1 "
                f"(½({p_real:.3f}/.95 + {g_loss:.3g}/2.996)), so D is not saturated."
            )
