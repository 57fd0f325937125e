"""Numbers that are no longer finite, or that no longer change."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from gansearch.diagnosis.rules.evidence import Evidence
from gansearch.diagnosis.rules.finding import Finding

LOSSES = ("d_loss", "d_loss_real", "d_loss_fake", "g_loss", "g_total")
ANSWERS = ("p_real", "p_fake", "p_fake_after", "score_real", "score_fake", "penalty")
ENDS = {
    100.0: "BCELoss of torch, whose logarithms end at -100",
    -math.log(1e-7): "Keras, which keeps probabilities 1e-7 away from 0",
    -math.log(2e-7): "Keras, which keeps probabilities 1e-7 away from 0 and adds as much",
    -math.log(1e-6): "a probability kept 1e-6 away from 0",
    -math.log(1e-8): "a probability kept 1e-8 away from 0",
    -math.log(1e-12): "a probability kept 1e-12 away from 0",
}
"""The greatest loss of one sample under BCE, and whose."""
EQUAL = 5
"""Lines in a row that end a log with the same numbers where it is frozen."""
SHORT = 15
"""Records of a log of which the last third is enough, though at least two."""
GREAT = 1e4
"""A mean loss under BCE, nats, from which a score is beyond ±1e4, which counts as diverged."""


def diverged(evidence: Evidence) -> Iterator[Finding]:
    """A role that was nan or infinite at all of its last records; those that came back are a note.

    Nothing finite follows from a number that is not: the next update of a network takes it up. A column of answers
    that was never finite was not computed; a loss that never was, was not finite from the start.
    """
    game = evidence.game
    ends, notes = {}, []
    for role in (*LOSSES, *ANSWERS):
        printed = np.flatnonzero(game.printed[role]) if role in game.printed else np.array([], int)
        broken = ~np.isfinite(game.values[role][printed]) if len(printed) else np.array([], bool)
        if not broken.any() or (broken.all() and role in ANSWERS):
            continue
        if broken[-1]:
            fine = np.flatnonzero(~broken)
            ends[role] = printed[fine[-1] + 1 if len(fine) else 0]
        else:
            notes.append((role, printed[broken]))
    if ends:
        first = min(ends, key=lambda role: ends[role])
        value, count = game.values[first][ends[first]], int(evidence.log.records - ends[first])
        step, line = evidence.at(int(ends[first]))
        others = [evidence.name(role) for role in ends if role != first]
        text = f"{evidence.name(first)} is {value:g} on the last {count:,} of {evidence.log.records:,} records"
        text += f", and so {'are' if len(others) > 1 else 'is'} {', '.join(others)} in the end." if others else "."
        yield Finding("diverged", "proven", f"{text} No update makes a network finite again.", step, line)
    else:
        for role, records in notes[:1]:
            step, line = evidence.at(int(records[0]))
            text = f"{evidence.name(role)} was nan or infinite on {len(records):,} records and came back."
            yield Finding("diverged", "note", text, step, line)
    yield from _great(evidence)


def _great(evidence: Evidence) -> Iterator[Finding]:
    """A half of D's loss of over 1e4 under BCE: −ln σ(s) ≤ ln 2 + |s|, so a score is beyond ±(1e4 − ln 2)."""
    if evidence.game.loss != "bce" or evidence.d_loss is None:
        return
    windows = evidence.means(evidence.d_loss)
    if windows[-1] > 2 * GREAT:
        step, line = evidence.since(windows > 2 * GREAT)
        text = f"{evidence.d_name} is {windows[-1]:.3g} in the end: D's scores are beyond ±{GREAT:,.0f}."
        yield Finding("diverged", "proven", text, step, line)


def frozen(evidence: Evidence) -> Iterator[Finding]:
    """A log that ends with equal losses, at the greatest that a sample can have, or anywhere but at 0.

    A mean equals the greatest value only if every sample has it; there the clamp's gradient is 0, so that the network
    stays as it is. D's printed loss may be the sum or the mean of two halves, of which one or both are at the end.
    """
    if evidence.game.loss not in ("bce", None):
        return
    records = evidence.log.records
    least = max(2, records // 3) if records < SHORT else EQUAL
    found: dict[str, tuple[int, float, str]] = {}
    for role in ("d_loss", "d_loss_real", "d_loss_fake", "g_loss"):
        known = np.flatnonzero(np.isfinite(evidence.game.values[role])) if evidence.has(role) else np.array([], int)
        if len(known) < least:
            continue
        values = evidence.game.values[role][known]
        same = np.isclose(values, values[-1], rtol=1e-6, atol=0)
        count = len(same) - 1 - int(np.flatnonzero(~same)[-1]) if not same.all() else len(same)
        end = _end(float(values[-1]), role)
        if count >= least and end:
            found[role] = (int(known[len(known) - count]), float(values[-1]), end)
    for role, (record, value, end) in list(found.items())[:1]:
        step, line = evidence.at(record)
        count = records - record
        text = (
            f"{evidence.name(role)} is {value:.6g} on each of the last {count:,} records, {end}. A mean is there only "
            "if every sample is, and there the loss has no gradient."
        )
        yield Finding("frozen", "proven", text, step, line)


def _end(value: float, role: str) -> str:
    """Whose greatest loss a value is, to the digits that are printed; empty if nobody's."""
    factors = {1.0: "", 0.5: "half of {end:.6g}, ", 2.0: "twice {end:.6g}, "}
    for end, owner in ENDS.items():
        for factor, text in factors.items() if role == "d_loss" else [(1.0, "")]:
            if abs(value - factor * end) < max(0.006, 2e-4 * end):
                return f"{text.format(end=end)}the greatest loss of a sample with {owner}"
    return ""
