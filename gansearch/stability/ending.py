"""How a run ends: trouble that began in its last probes, whose networks are the ones that are exported."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gansearch.stability.referee import Ruling
from gansearch.stability.verdict import APART, VERDICTS, verdict_of
from gansearch.stability.window import Window

LATE_PROBES = 3
"""Probes in trouble, one after another up to the end of a run, that are an end.

One may be chance: 256 samples, or the crest of an orbit. Of a run's fifty probes three are its last twentieth.
"""


@dataclass(frozen=True)
class Ending:
    """Trouble at the end of a run that the scored part as a whole does not show."""

    verdict: str
    since: float
    """The last step before it."""
    window: Window


def late_trouble(rows: Sequence[Window], verdict: str, ruling: Ruling | None) -> Ending | None:
    """The trouble in which all of the last probes of the scored `rows` are, if the probes before were in a milder one.

    `verdict` is that of the rows as a whole. A run that was in trouble all along, recovers, or ends in a milder
    trouble keeps it. The last probes may be in different troubles where those before were in none.
    """

    def judge(part: Sequence[Window]) -> Ending:
        window = functools.reduce(operator.add, part)
        found = verdict_of(window, window.invalid, window.swing, ruling)
        if found == "uninformative" and ruling is None and not window.mean("apart") > APART:
            found = "balanced"  # D separates nothing, as where a GAN converges
        return Ending(found, window.step, window)

    verdicts = [judge([row]).verdict for row in rows]
    kinds = ({*VERDICTS} - {"balanced"}, {verdicts[-1]} - {"balanced"})  # any trouble, the last one's
    for kind in kinds:
        start = len(rows) - len(list(itertools.takewhile(kind.__contains__, reversed(verdicts))))
        if start == 0 or sum(row.probes for row in rows[start:]) < LATE_PROBES:
            continue
        before, end = judge(rows[:start]), judge(rows[start:])
        if end.verdict != verdict and VERDICTS.index(end.verdict) < VERDICTS.index(before.verdict):
            return replace(end, since=before.since)
    return None
