"""Networks that do not learn, and games that have not begun or have nothing to say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gansearch.diagnosis.rules.evidence import Evidence
from gansearch.diagnosis.rules.finding import Finding

NO_RATE = 1e-9
"""A learning rate under this share of its greatest value is none."""
UNMOVED = 0.01
"""D's loss over its value at chance stays this near to 1, from the first line on, where D does not learn."""
FOLLOWS = 0.1
"""How far D's mean answer to fakes moves where G learns and D does not."""
ALL_ZERO = 0.95
"""Share of the records of the last half at which both losses are exactly 0 where the game says nothing."""
FEWEST = 10
"""Windows that a D has to stand still in."""


def not_training(evidence: Evidence) -> Iterator[Finding]:
    """A network whose learning rate is 0 over the last half, or a D whose loss never leaves its value at chance.

    Near chance is also where a GAN converges, but no D starts there and stays: u = L/φ₀ is within .01 of 1 in every
    window, the first one included, in none of the best runs that were recorded.
    """
    for role, network in (("lr_d", "D"), ("lr_g", "G")):
        if not evidence.has(role):
            continue
        rates = evidence.game.values[role]
        greatest = np.nanmax(rates)
        none = np.nan_to_num(rates, nan=0.0 if greatest <= 0 else greatest) <= NO_RATE * max(greatest, 0)
        if none[evidence.edges[evidence.half] :].all():
            record = int(np.flatnonzero(~none)[-1]) + 1 if not none.all() else 0
            step, line = evidence.at(record)
            text = f"{evidence.name(role)} is {rates[np.isfinite(rates)][-1]:g}: no update changes {network}"
            if record:
                yield Finding("not_training", "proven", f"{text}.", step, line)
            else:  # a rate of 1e-5 that is printed with four digits is 0.0000 all along
                yield Finding("not_training", "likely", f"{text}, unless it is rounded.", step, line)
            return
    yield from _same_answers(evidence)
    for one in evidence.assumptions:
        u = evidence.u(one)
        known = u[np.isfinite(u)]
        if len(known) >= FEWEST and np.abs(known - 1).max() < UNMOVED:
            step, line = evidence.at(0)
            text = (
                f"{evidence.d_name} has been {np.mean(known) * one.chance:.4g} from the first record on, within "
                f"{np.abs(known - 1).max():.1%} of {one.chance:.4g}, the loss of a D that always answers that it "
                "cannot tell. A D that learns leaves it at first, also where the GAN converges later."
            )
            yield Finding("not_training", "likely", text, step, line)
            return


def _same_answers(evidence: Evidence) -> Iterator[Finding]:
    """A D whose mean answer to reals is the same from the first record on, while its answer to fakes moves with G.

    No other than a D that is not updated: of the runs that were recorded D(x) moved by .018 at the least.
    """
    if not evidence.answers:
        return
    real, fake = (evidence.windows(role) for role in ("p_real", "p_fake"))
    real, fake = real[np.isfinite(real)], fake[np.isfinite(fake)]
    if min(len(real), len(fake)) < FEWEST or not 0.05 < real.mean() < 0.95:
        return
    if np.ptp(real) < UNMOVED and np.ptp(fake) > FOLLOWS:
        text = (
            f"{evidence.name('p_real')} has been {real.mean():.3f} from the first record on, within "
            f"{np.ptp(real):.3f}, while {evidence.name('p_fake')} went from {fake[0]:.3f} to {fake[-1]:.3f}: G moves, "
            "D does not."
        )
        yield Finding("not_training", "likely", text, *evidence.at(0))


def nothing_said(evidence: Evidence) -> Iterator[Finding]:
    """Losses of D and G that are both exactly 0: the game has not started, or it is idle.

    A loss of 0 of a real and a fake half cannot be beside a G that learns from them: under BCE and hinge 0 is the
    least, and there the gradient is 0.
    """
    if evidence.d_loss is None or not evidence.has("g_loss"):
        return
    zero = (evidence.d_loss == 0) & (evidence.game.values["g_loss"] == 0)
    known = np.isfinite(evidence.d_loss) & np.isfinite(evidence.game.values["g_loss"])
    late = slice(int(evidence.edges[evidence.half]), None)
    if known[late].sum() < 2 or zero[late][known[late]].mean() < ALL_ZERO:
        quiet = np.abs(evidence.game.values["g_loss"]) <= 0.01  # as printed with three digits, now and then not 0
        nothing = (evidence.d_loss == 0) & quiet
        if known[late].sum() < 2 or not evidence.has_other_terms or nothing[late][known[late]].mean() < ALL_ZERO:
            return
        zero = nothing
    names = f"{evidence.d_name} and {evidence.name('g_loss')}"
    if zero[known].all():
        step, line = evidence.at(int(np.flatnonzero(known)[0]))
        text = f"{names} are 0 on every record: no adversarial loss has reached a network yet."
        yield Finding("not_started", "proven", text, step, line)
        return
    step, line = evidence.since(np.nan_to_num(evidence.means(zero.astype(float))) >= ALL_ZERO)
    share = zero[late][known[late]].mean()
    text = f"{names} are 0 on {share:.0%} of the records of the last half: D tells G nothing."
    yield Finding("idle", "proven", text, step, line)
