"""Discriminators that know their training samples by heart."""

from __future__ import annotations

from collections.abc import Iterator

from gansearch.diagnosis.rules.evidence import Evidence
from gansearch.diagnosis.rules.finding import Finding

SURE = 0.8
"""Mean sign of D's scores of training reals over which, without augmentation, D overfits."""
TARGET = 0.6
"""The mean sign to which adaptive augmentation steers D."""
LEAKS = 0.8
"""Probability of augmentation up to which augmentations did not leak into the samples."""


def memorising(evidence: Evidence) -> Iterator[Finding]:
    """D's mean sign of training reals, r_t, over .8 without augmentation, or a p of the augmentation over 1.

    r_t = 2 · accuracy − 1 on training reals. Karras et al. 2020 (StyleGAN2-ADA), sections 3.1 and 3.2: r_t near 1 is
    D overfitting, .6 is what the controller steers to, so that r_t near it is no finding, and p up to .8 was safe.
    """
    p = last_augment(evidence)
    if p > LEAKS:
        grade = "likely" if p > 1 else "note"
        text = f"{evidence.name('augment')} is {p:.2f} in the end: " + (
            "the controller wants more augmentation than there is, because D still overfits."
            if p > 1
            else "so much augmentation may leak into the samples (Karras et al. 2020: .8)."
        )
        limit = 1 if p > 1 else LEAKS
        yield Finding("memorising", grade, text, *evidence.since(evidence.windows("augment") > limit))  # type: ignore[arg-type]
        return
    if not evidence.has("sign_real") or p > 0.01:
        return
    sign = evidence.judged("sign_real")
    if sign > SURE:
        text = (
            f"{evidence.name('sign_real')} is {sign:.2f} over the last half: D takes {(1 + sign) / 2:.0%} of the "
            f"training samples for real. Adaptive augmentation holds it at {TARGET:g}."
        )
        yield Finding("memorising", "likely", text, *evidence.since(evidence.windows("sign_real") > SURE))


def last_augment(evidence: Evidence) -> float:
    """The probability of augmentation at the end of a log; 0 where there is none."""
    if not evidence.has("augment"):
        return 0.0
    augment = evidence.windows("augment")[evidence.half :]
    return float(augment[-max(1, len(augment) // 5) :].mean())
