"""The sentence of a verdict: what happened, from which update on, by which numbers, and what to change."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gansearch.formatting import many
from gansearch.stability.classes import ClassRuling
from gansearch.stability.ending import Ending
from gansearch.stability.referee import Ruling
from gansearch.stability.verdict import ADVICE, APART, COLLAPSED, COPIES, HOPPING, collapsed, of_samples, verdict_of
from gansearch.stability.window import Window

MEMORISES = 0.2
"""Held-out gap from which D memorises its training reals."""
EXPLODING = 100.0
"""2-norm of G's gradient from which it explodes (GANHacks, tip 10)."""
VANISHING = 1e-3
"""G's gradient, as a share of the largest of any window, from which it has vanished."""
NOISY = 1.0
"""Coefficient of variation from which G's gradient is more noise than direction."""
FEW = 0.005
"""Share of D's outputs under which the sentence calls it none."""


def gradient_trouble(scored: Window, windows: Sequence[Window]) -> str:
    """What is wrong with G's gradient: "vanishing", "exploding", "noisy", or empty."""
    largest = max((window.grad_norm for window in windows if window.grads), default=math.nan)
    if scored.grad_norm < VANISHING * largest:
        return "vanishing"
    if scored.grad_norm > EXPLODING:
        return "exploding"
    return "noisy" if scored.grad_variation > NOISY else ""


def sentence(
    verdict: str,
    scored: Window,
    windows: Sequence[Window],
    gradient: str,
    ruling: Ruling | None,
    late: Ending | None = None,
) -> str:
    """Says what happened, since when, by which numbers, and what to change. `scored` is the end where it is `late`."""
    late_since = f" from update {late.since:,.0f} to the end" if late else ""
    since = late_since or _since(verdict, windows)
    separability, right, wrong = scored.mean_separability, scored.saturated_right(), scored.saturated_wrong()
    apart, hops = of_samples("apart", scored, ruling), scored.mean("moved") > HOPPING
    separates = f"D separates real from fake at {separability:.2f}"
    if ruling is not None and not (verdict == "uninformative" and _told(ruling)):
        separates += f", a fresh referee at {ruling.separability:.2f}"
    far = "" if math.isnan(apart) else f"; on a scale of 0 to 1 the samples are {apart:.2f} from the data"
    sure = (
        f"{_percent(right)} of its outputs are right and within .05 of 0 or 1"
        if right >= FEW
        else "certain of no sample"
    )
    if verdict == "diverged":
        what = f"Scores, losses or samples stopped being finite numbers by update {windows[-1].step:,.0f}."
    elif verdict == "collapsed":
        what = _of_collapse(since, scored, ruling) + (", and hop from probe to probe." if hops else ".")
    elif verdict == "discriminator_saturated":
        what = (
            f"D is too strong{since}: it separates at {separability:.2f}, {sure}{_of_gradient(gradient, scored)}{far}."
        )
    elif verdict == "generator_dominates":
        certain = f"{_percent(wrong)} of D's outputs are wrong and within .05 of 0 or 1, and " if wrong >= FEW else ""
        what = f"G fools D{since}: {certain}it separates at {separability:.2f}{far}."
    elif verdict == "uninformative" and ruling is None and not apart > APART:
        what = f"{separates}: it tells nothing apart. A converged GAN looks the same; a referee could say which it is."
    elif verdict == "uninformative":
        what = f"D does not show G in what its samples differ from the data{late_since}: "
        what += f"{_told(ruling)}{separates}{far}."
    elif verdict == "oscillating" and hops:
        what = f"D and G chase each other{since}: one probe's samples have little in common with the last one's{far}."
    elif verdict == "oscillating":
        swings = f"swings by {scored.swing:.2f} about {separability:.2f}"
        what = f"D and G chase each other{since}: separability {swings}{far}."
    else:
        what = f"{separates}; {sure}{_of_gradient(gradient, scored)}{far}.{_not_told(ruling)}"
    what += _of_missed(ruling)
    if scored.mean("held_out_gap") > MEMORISES:
        above = _percent((1 + scored.mean("held_out_gap")) / 2)
        what += f" D scores training reals above held-out ones {above} of the time: it memorises them; "
        what += "more data, r1_gamma or instance_noise help."
    if late:
        what += " Until then it was not so: what is exported is the end."
    return f"{what} {ADVICE[verdict]}".strip()


def _of_collapse(since: str, scored: Window, ruling: Ruling | None) -> str:
    """How few different samples there are, and by what; without a full stop."""
    spread, distinct = (of_samples(name, scored, ruling) for name in ("diversity", "distinctness"))
    if spread < COLLAPSED:
        return f"G makes nearly the same sample{since}: they spread {_percent(spread)} as wide as the data"
    some = [] if ruling is None else [one for one in ruling.classes if collapsed(one)]
    if some and not distinct < COLLAPSED:
        worst = min(some, key=lambda one: min(one.diversity, one.distinctness))
        what = f"G has collapsed in {_classes(some, worst)}: its samples there "
        if worst.diversity < COLLAPSED:
            return f"{what}spread {_percent(worst.diversity)} as wide as the data of the class"
        return f"{what}are a few, again and again"
    if ruling is not None and ruling.copied > COPIES:
        return f"G gives training samples back: {_percent(ruling.copied)} of its samples are copies of one"
    if ruling is not None and ruling.repeated > COPIES:
        return f"G repeats a few samples: {_percent(ruling.repeated)} of them equal another one"
    return f"G repeats a few samples{since}: their nearest neighbours are far nearer than those of the data"


def _of_missed(ruling: Ruling | None) -> str:
    """A sentence on the classes whose fakes are of other classes; empty where there are none."""
    missed = [] if ruling is None else [one for one in ruling.classes if one.misses]
    if not missed:
        return ""
    worst = min(missed, key=lambda one: one.hits - one.expected)
    return (
        f" Fakes miss {_classes(missed, worst)}: {_percent(worst.hits)} of those asked for it are nearest to a real of "
        f"the class, and {_percent(worst.expected)} of its reals are."
    )


def _classes(some: Sequence[ClassRuling], worst: ClassRuling) -> str:
    """The worst class by its name, and how many others are like it."""
    return f"class {worst.name}" + (f" and {many(len(some) - 1, 'other')}" if len(some) > 1 else "")


def _told(ruling: Ruling | None) -> str:
    """By whom and by what the fakes are told, up to a semicolon; an empty string where they are not."""
    observation = None if ruling is None else ruling.observation
    if observation is None or not observation.tells:
        return ""
    return (
        f"{observation.by} can tell fakes from {observation.count:,} held-out reals (area under the ROC curve "
        f"{observation.auc:.3f}, limit {observation.threshold:.3f}), {observation.evidence}; "
    )


def _not_told(ruling: Ruling | None) -> str:
    """A sentence on an observer who cannot tell, unless that is the referee, who is named already."""
    observation = None if ruling is None else ruling.observation
    if observation is None:
        return ""
    if observation.sees_too_little:
        return f" {observation.count} held-out samples are too few to ask an observer."
    if observation.auc == (ruling and ruling.separability):
        return ""
    return f" {observation.by.capitalize()} cannot tell (at {observation.auc:.2f}, limit {observation.threshold:.2f})."


def _of_gradient(gradient: str, scored: Window) -> str:
    if gradient == "vanishing":
        return f", and G's gradient has vanished (norm {scored.grad_norm:.1g})"
    if gradient == "exploding":
        return f", and G's gradient explodes (norm {scored.grad_norm:.0f})"
    return f", and G's gradient varies by {scored.grad_variation:.1f} times its mean" if gradient else ""


def _since(verdict: str, windows: Sequence[Window]) -> str:
    """Return " from update … on" where the last windows have the verdict of the whole, else an empty string."""
    count = 0
    for window in reversed(windows):
        if verdict_of(window, window.invalid) != verdict:
            break
        count += 1
    if count == 0:
        return ""
    return " all along" if count == len(windows) else f" from update {windows[-count - 1].step:,.0f} on"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
