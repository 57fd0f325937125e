"""The verdicts: the balance of a run in one word, by thresholds on a window's measures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from gansearch.stability.classes import ClassRuling
from gansearch.stability.referee import Ruling
from gansearch.stability.window import Window

SCORE_VERSION = 4
"""Of score and verdicts. Version 1, to gansearch 0.2, knew neither the end of a run nor an observer.

Version 2 measured sounds by their waveforms. To version 3 the score without a referee was halved for every
`uninformative`, where it had no late trouble either, and a class with a few fakes was missed by chance.
"""

VERDICTS = (
    "diverged",
    "collapsed",
    "discriminator_saturated",
    "generator_dominates",
    "uninformative",
    "oscillating",
    "unknown",
    "balanced",
)
"""Worst first."""

HEALTHY = ("unknown", "balanced")
"""Verdicts with which nothing is wrong, or nothing that can be known."""

ADVICE = {
    "diverged": "Lower lr, or add r1_gamma or spectral_norm.",
    "collapsed": "Lower lr_g (raise lr_ratio) or raise update_ratio, or add r1_gamma or instance_noise.",
    "discriminator_saturated": "Lower lr_ratio or update_ratio, or add r1_gamma.",
    "generator_dominates": "Raise lr_ratio, update_ratio or pretrain_steps.",
    "uninformative": "Raise lr, lr_ratio or update_ratio, or weaken the penalty on D.",
    "oscillating": "Lower lr, or add r1_gamma or ema.",
    "unknown": "Have the script write the file of StabilityMonitor(path=…), which shows all of it.",
    "balanced": "",
}
"""The settings that usually change a verdict for the better."""

MEANING = {
    "diverged": "A score, a loss or a sample was no longer a finite number.",
    "collapsed": "G makes one sample, or a few, again and again, or gives training samples back.",
    "discriminator_saturated": "D is too strong: it is certain and right, and G learns little from it.",
    "generator_dominates": "G fools D: D is certain and wrong, or ranks fakes above reals.",
    "uninformative": "D does not show G in what its samples differ from the data, so G comes no nearer to it.",
    "oscillating": "D and G chase each other: the samples, or how D separates them, swing from probe to probe.",
    "unknown": "What the script writes shows nothing wrong, and cannot show the rest: it counts as healthy.",
    "balanced": "Neither is too strong, the samples are near the data, and an observer cannot tell them from it.",
}
"""Each verdict in a sentence, for any run."""

COLOURS = {
    "diverged": "#56B4E9",
    "collapsed": "#0072B2",
    "discriminator_saturated": "#D55E00",
    "generator_dominates": "#CC79A7",
    "uninformative": "#6B7280",
    "oscillating": "#E69F00",
    "unknown": "#7A5A2B",
    "balanced": "#009E73",
}
"""One colour a verdict, everywhere: those of Okabe and Ito (2008), which the colour-blind tell apart, and a grey."""

WON = 0.9
"""Share of outputs that are right and within .01 of 0 or 1, from which D has won."""
SATURATED = 0.5
"""Share of outputs that are right and within .05 of 0 or 1, from which D is too strong."""
FOOLED = 0.2
"""Share of outputs that are wrong and within .05 of 0 or 1, from which G fools D."""
BEHIND = 0.35
"""Separability under which D ranks fakes above reals."""
CERTAIN = 0.9
"""Separability from which D is right about nearly all samples; harmless while they are near the data."""
BLIND = 0.02
"""|separability − ½| under which D separates nothing."""
TELLING = 0.7
"""A referee's separability from which real and fake can be separated."""
APART = 0.25
"""How far the samples of a balanced run may be from the data (`Ruling.apart`)."""
GAP, NEAR = 0.3, 0.15
"""How much more a referee separates than a D that teaches G too little, unless the samples are nearer than NEAR."""
COLLAPSED = 0.3
"""Diversity or distinctness under which the samples are one point or a few."""
COPIES = 0.25
"""Share of samples that equal another one, or a training sample, from which G gives the same few, or the data."""
HOPPING = 0.5
"""How far samples move between two probes (√ of the energy coefficient) where G only runs from mode to mode."""
SWING, WILD = 0.1, 0.25
"""Standard deviations of separability between probes at which D and G chase each other: far from the data, near it."""

HOPELESS = ((0.25, 0.6), (0.4, 0.55))
"""(share of the updates, `apart`): from then on, samples that stayed farther from the data will not come near it."""
CERTAINTY_COUNTS = 0.4
"""Share of the updates from which a D that is certain about all samples stays so."""


def worst(verdicts: Iterable[str]) -> str:
    """The worst of some verdicts."""
    return min(verdicts, key=VERDICTS.index)


def verdict_of(window: Window, invalid: float, swing: float = 0.0, ruling: Ruling | None = None) -> str:
    """Return the first verdict whose rule applies to a window of probes.

    `invalid` is positive where a score or a loss was not finite. `swing` is the standard deviation of the probes'
    separability, `ruling` the answer of the referee, None where there is none.
    """
    separability, moved = window.mean_separability, window.mean("moved")
    apart, diversity = of_samples("apart", window, ruling), of_samples("diversity", window, ruling)
    # Unknown numbers are NaN, with which no comparison holds.
    separable = math.nan if ruling is None else ruling.separability
    if invalid:
        return "diverged"
    if window.saturated_right(0.01) > WON and not moved > HOPPING:
        return "discriminator_saturated"  # G does not move any more, and may make a single point
    if diversity < COLLAPSED or of_samples("distinctness", window, ruling) < COLLAPSED:
        return "collapsed"
    if ruling is not None and max(ruling.repeated, ruling.copied) > COPIES:
        return "collapsed"
    classes = () if ruling is None else ruling.classes
    if any(map(collapsed, classes)):
        return "collapsed"
    if moved > HOPPING or swing > WILD:
        return "oscillating"
    if window.saturated_right() > SATURATED:
        return "discriminator_saturated"
    if window.saturated_wrong() > FOOLED or separability < BEHIND:
        return "generator_dominates"
    if apart > APART:
        # The samples are far from the data: D is too strong, or moves too fast, or teaches too little.
        if separability > CERTAIN:
            return "discriminator_saturated"
        return "oscillating" if swing > SWING else "uninformative"
    if any(one.misses for one in classes):
        return "discriminator_saturated" if separability > CERTAIN else "uninformative"
    if blind(window) and (ruling is None or separable > TELLING):
        return "uninformative"
    if separable - separability > GAP and apart > NEAR:
        return "uninformative"
    observation = None if ruling is None else ruling.observation
    return "uninformative" if observation and observation.tells else "balanced"


def blind(window: Window) -> bool:
    """Whether D separates nothing, as it does where it learns nothing and where there is nothing left to learn."""
    return abs(window.mean_separability - 0.5) < BLIND


def collapsed(one: ClassRuling) -> bool:
    """Whether the samples of a class are one, or a few again and again."""
    return one.diversity < COLLAPSED or one.distinctness < COLLAPSED


def of_samples(name: str, window: Window, ruling: Ruling | None) -> float:
    """The ruling's "apart", "diversity" or "distinctness", or else the probes'; NaN where neither had samples."""
    return window.mean(name) if ruling is None else float(getattr(ruling, name))


def hopeless(rows: Sequence[Window], share: float) -> str | None:
    """Why a run is beyond hope after `share` of its updates, or None. Rows and share leave pretraining out.

    Either its numbers are no longer finite, or in all probes of the last half the samples were farther from the data
    than `HOPELESS` allows by then, or D was certain and right about nearly all samples, or certain and wrong about
    most.
    """
    if any(row.invalid for row in rows):
        return "D's scores are no longer finite numbers"
    if share < HOPELESS[0][0] or len(rows) < 10:
        return None
    late = rows[-(len(rows) // 2) :]
    since = f"since update {late[0].step:,.0f}"
    nearest = min(row.mean("apart") for row in late)
    for from_share, far in HOPELESS:
        if share >= from_share and nearest > far:
            return (
                f"the samples have been far from the data {since}: on a scale of 0 to 1 never nearer than {nearest:.2f}"
            )
    if share < CERTAINTY_COUNTS:
        return None
    if all(row.saturated_right(0.01) > WON for row in late):
        return f"D has been certain and right about over {WON:.0%} of all samples {since}"
    if all(row.saturated_wrong() > SATURATED for row in late):
        return f"D has been certain and wrong about over {SATURATED:.0%} of all samples {since}"
    return None
