"""Which of the two networks is too strong, by D's loss over its value at chance, u, and by its mean answers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from gansearch.diagnosis.rules import bounds
from gansearch.diagnosis.rules.evidence import GREATEST, Assumption, Evidence
from gansearch.diagnosis.rules.finding import Finding, Unknown
from gansearch.diagnosis.rules.shares import certain, percent

STRONG, NEARLY = 0.05, 0.15
"""u under which D has won, and under which that is a note. Between them healthy runs are as frequent as others."""
WORSE = 1.2
"""u over which D is worse than one that always answers that it cannot tell."""
MOST = 0.5
"""Share of outputs, right and within .05 of 0 or 1, from which the monitor's verdict is `discriminator_saturated`."""
FOOLED = 0.2
"""Share of outputs, wrong and within .05 of 0 or 1, from which its verdict is `generator_dominates`."""
SWING, WILD = 0.25, 0.4
"""Standard deviation of u between windows from which D and G chase each other; of windows of few lines the second."""
LINES = 4
"""Lines of a window from which its own spread says how far its mean is off by chance."""
ALONE = 2.0
"""Times the variance that lines which are independent of each other would give, from which windows swing."""
ENOUGH = 20
"""Windows of the last half under which a swing may be chance."""
END, END_RECORDS = 5, 200
"""Last windows, a tenth of them, that are judged by themselves where a log has so many records."""
ALL_REAL = 0.9
"""Mean answers from which D calls everything real."""
FROM_THE_START = 0.1
"""Share of the records by which a trouble was there from the start."""


def saturated(evidence: Evidence) -> Iterator[Finding | Unknown]:
    """D has won: proven by its mean answers, its scores or its loss, likely where u < .05 over the last half.

    By Markov's inequality D(x) − D(G(z)) > .95 puts over half of the outputs within .05 of 0 or 1 and right (see
    `shares`), and so does a mean half of D's loss under .0256 under BCE. u < .05 alone bounds D's accuracy, ≥ .95, for
    every loss. Beside other losses of G such as L1 a game like that is idle rather than lost.
    """
    kind = "idle" if evidence.has_other_terms else "discriminator_saturated"
    for shares in certain(evidence):
        if shares.right > MOST:
            text = shares.says(shares.right, "right")
            yield Finding(kind, "proven", text, *evidence.since(shares.windows[:, 0] > MOST))
            return
    yield from _by_loss(evidence, kind)


def _by_loss(evidence: Evidence, kind: str) -> Iterator[Finding | Unknown]:
    """The same by D's loss, for which it has to hold whatever the loss is taken for."""
    levels = {one: _level(evidence, evidence.u(one)) for one in evidence.assumptions}
    if not levels:
        return
    one, u = max(levels.items(), key=lambda item: item[1])
    holds = evidence.u(one) < STRONG
    if u < STRONG:
        mean = float(np.nanmean(evidence.u(one)[evidence.half :]))
        right = bounds.right_by_loss(mean * bounds.CHANCE["bce"]) if evidence.game.loss == "bce" else 0.0
        text = f"{_of_chance(evidence, one, u)}. So D is right about at least {percent(bounds.accuracy_least(u))} "
        text += "of all samples (1 - u), and "
        if right > MOST:
            text += f"at least {percent(right)} of its outputs are right and within .05 of 0 or 1 (Markov)."
            yield Finding(kind, "proven", text, *evidence.since(holds))
        elif not evidence.is_short:
            text += f"its separability is at least {percent(bounds.separability_least(u))} (1 - 2u)."
            yield Finding(kind, "likely", text, *evidence.since(holds))
    elif min(levels.values()) < STRONG and evidence.game.loss and not evidence.is_short:
        yield _question(evidence, levels, f"whether D has won (under {STRONG:g})")
    elif u < NEARLY and not evidence.is_short:
        text = f"{_of_chance(evidence, one, u)}: D is right nearly always. Many runs that end well look like that."
        yield Finding(kind, "note", text, *evidence.since(evidence.u(one) < NEARLY))


def dominates(evidence: Evidence) -> Iterator[Finding | Unknown]:
    """G fools D: proven by D's mean answers, likely where u > 1.2 over the last half.

    By Markov's inequality D(G(z)) > .97 puts a fifth of all outputs within .05 of 0 or 1 and wrong. u > 1 says that a
    D that always answers the same would have a smaller loss.
    """
    for shares in certain(evidence):
        if shares.wrong > FOOLED:
            text = shares.says(shares.wrong, "wrong")
            if evidence.answers and min(evidence.judged("p_real"), evidence.judged("p_fake")) > ALL_REAL:
                text += " D calls everything real, as where G's optimizer also holds D's parameters."
            yield Finding("generator_dominates", "proven", text, *evidence.since(shares.windows[:, 1] > FOOLED))
            return
    levels = {one: _level(evidence, evidence.u(one)) for one in evidence.assumptions}
    worse = [one for one, u in levels.items() if u > WORSE and not evidence.is_short]
    if worse and len(worse) < len(levels) and evidence.game.loss:
        yield _question(evidence, levels, f"whether D is worse than one that cannot tell (over {WORSE:g})")
    elif len(worse) == len(levels) > 0:
        one, u = min(levels.items(), key=lambda item: item[1])
        step, line = evidence.since(evidence.u(one) > WORSE)
        text = (
            f"{_of_chance(evidence, one, u)}. D is worse than one that never looks, if {evidence.d_name} has no other "
            "terms such as a penalty."
        )
        if step is not None and step <= evidence.at(int(FROM_THE_START * (evidence.log.records - 1)))[0]:
            text += " It has been so from the start, as where G's optimizer also holds D's parameters."
        yield Finding("generator_dominates", "likely", text, step, line)


def oscillating(evidence: Evidence) -> Iterator[Finding]:
    """D's loss swings: the standard deviation of u between windows is over .25, without their trend.

    Losses of single batches swing by chance, those of batches of one sample by .2 to .45. So the windows have to swing
    more than twice as much, in variance, as independent lines would make them; where a window has too few lines to
    say, .4 is asked for. Or D's loss is mostly fine, but its mean is over 1.2 times that at chance: it breaks down
    again and again.
    """
    found = []
    for one in evidence.assumptions:
        u = evidence.u(one)[evidence.half :]
        u = u[np.isfinite(u)]
        if len(u) < ENOUGH:
            return
        spread = _spread(u)
        breaks_down = np.mean(u) > WORSE
        if np.median(u) <= WORSE and (breaks_down or spread > _least_swing(evidence, one)):
            found.append((one, u, spread))
    if found and len(found) == len(evidence.assumptions):
        one, u, spread = min(found, key=lambda item: item[2])
        low, high = np.quantile(u, [0.1, 0.9]) * one.chance
        text = (
            f"Means of {evidence.d_name} over windows of the last half swing between {low:.3g} and {high:.3g} (80% of "
            f"them), and average {np.mean(u):.2f} times the {one.chance:.4g} of a D that cannot tell, with a standard "
            f"deviation of {spread:.2f} times that."
        )
        yield Finding("oscillating", "likely", text, *evidence.at(int(evidence.edges[evidence.half])))


def _least_swing(evidence: Evidence, one: Assumption) -> float:
    """The standard deviation of windows from which they swing."""
    assert evidence.d_loss is not None
    edges = evidence.edges[evidence.half :]
    parts = [np.minimum(evidence.d_loss[a:b] / one.chance, GREATEST) for a, b in itertools.pairwise(edges)]
    parts = [part[np.isfinite(part)] for part in parts]
    parts = [part for part in parts if len(part)]
    lines = float(np.mean([len(part) for part in parts]))
    if lines < LINES:
        return WILD
    by_chance = np.sqrt(ALONE * np.mean([part.var() for part in parts]) / lines)
    return float(max(SWING, by_chance))


def _spread(u: np.ndarray) -> float:
    """Standard deviation without the linear trend."""
    steps = np.arange(len(u))
    return float(np.std(u - np.polyval(np.polyfit(steps, u, 1), steps)))


def _level(evidence: Evidence, u: np.ndarray) -> float:
    """The median of u over the last half's windows; over the last tenth's where all of them say that D has won or lost.

    NaN where there is none.
    """
    end = u[-END:]
    if evidence.log.records >= END_RECORDS and ((end < STRONG).all() or (end > WORSE).all()):
        return float(np.median(end))
    known = u[evidence.half :]
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else float("nan")


def _of_chance(evidence: Evidence, one: Assumption, u: float) -> str:
    return (
        f"{evidence.d_name} is {u * one.chance:.4g} in the end (median of windows), {u:.3g} times the {one.chance:.4g} "
        f"of a D that always answers that it cannot tell ({one})"
    )


def _question(evidence: Evidence, levels: dict[Assumption, float], what: str) -> Unknown:
    """What has to be told for a judgement, and what it would be by each answer."""
    each = ", ".join(f"{u:.3g} ({one.halves})" for one, u in levels.items())
    options = " or ".join(f"--loss {one.loss}-{one.halves}" for one in levels)
    return Unknown(
        f"Whether {evidence.d_name} is the sum or the mean of D's halves decides {what}: over its value at chance it "
        f"is {each}. Say {options}."
    )
