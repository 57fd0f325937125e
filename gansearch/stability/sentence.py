"""The sentence of a verdict: what happened, from which update on, what it rests on, and the knob that mends it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gansearch.stability.referee import Ruling
from gansearch.stability.verdict import ADVICE, COLLAPSED, HOPPING, known, verdict_of
from gansearch.stability.window import Window

MEMORISES = 0.2
"""Held-out gap from which D knows its training reals by heart."""
EXPLODING = 100.0
"""2-norm of G's gradient that is bad news (GANHacks, tip 10)."""
VANISHING = 1e-3
"""G's gradient, as a share of the largest of any window, from which it has vanished."""
NOISY = 1.0
"""Coefficient of variation from which G's gradient is more noise than direction."""


def gradient_trouble(scored: Window, windows: Sequence[Window]) -> str:
    """What is wrong with G's gradient, in a word, or nothing."""
    largest = max((window.grad_norm for window in windows if window.grads), default=math.nan)
    if scored.grad_norm < VANISHING * largest:
        return "vanishing"
    if scored.grad_norm > EXPLODING:
        return "exploding"
    return "noisy" if scored.grad_variation > NOISY else ""


def sentence(
    verdict: str, scored: Window, windows: Sequence[Window], swing: float, gradient: str, ruling: Ruling | None
) -> str:
    start = f"from update {_since(verdict, windows):,} on"
    separability, right, wrong = scored.mean_separability, scored.saturated_right(), scored.saturated_wrong()
    told = f"D separates real from fake at {separability:.2f}"
    if ruling is not None:
        told += f", a fresh referee at {ruling.separability:.2f}"
    sure = f"{_percent(right)} of its outputs are right and within .05 of 0 or 1"
    moved = scored.mean("moved")
    if verdict == "diverged":
        what = f"Scores, losses or samples stopped being finite numbers by update {_since(verdict, windows):,}."
    elif verdict == "collapsed":
        spread = known("diversity", scored, ruling)
        what = (
            f"G makes nearly the same sample always: they spread {_percent(spread)} as wide as the data."
            if spread < COLLAPSED
            else "G repeats a few samples: their nearest neighbours are far nearer than those of the data."
        )
    elif verdict == "discriminator_saturated":
        what = f"D is too strong {start}: it separates at {separability:.2f}, {sure}{_of_gradient(gradient, scored)}."
    elif verdict == "generator_dominates":
        what = (
            f"G fools D {start}: {_percent(wrong)} of D's outputs are wrong and within .05 of 0 or 1, "
            f"and it separates at {separability:.2f}."
        )
    elif verdict == "uninformative" and ruling is None:
        what = f"{told}: it tells nothing apart. A converged GAN looks the same; a referee could say which it is."
    elif verdict == "uninformative":
        what = f"{told}: what D says does not bring G nearer to the data."
    elif verdict == "oscillating" and moved > HOPPING:
        what = f"D and G chase each other {start}: the samples of one probe have little in common with the last one's."
    elif verdict == "oscillating":
        what = f"D and G chase each other: separability swings by {swing:.2f} about {separability:.2f}."
    else:
        what = f"{told}; {sure}{_of_gradient(gradient, scored)}."
    if scored.mean("held_out_gap") > MEMORISES:
        above = (1 + scored.mean("held_out_gap")) / 2
        what += f" D scores training reals above held-out ones {_percent(above)} of the time: it memorises them."
    return f"{what} {ADVICE[verdict]}".strip()


def _of_gradient(gradient: str, scored: Window) -> str:
    if gradient == "vanishing":
        return f", and G's gradient has vanished (norm {scored.grad_norm:.1g})"
    if gradient == "exploding":
        return f", and G's gradient explodes (norm {scored.grad_norm:.0f})"
    return f", and G's gradient varies by {scored.grad_variation:.1f} times its mean" if gradient else ""


def _since(verdict: str, windows: Sequence[Window]) -> int:
    """The update from which on a verdict held without a break."""
    start = windows[-1].step
    for index in range(len(windows) - 1, -1, -1):
        window = windows[index]
        if verdict_of(window, window.invalid) != verdict:
            break
        start = windows[index - 1].step if index else 0
    return int(start)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
