"""The five questions that every report answers first, as far as a log can answer them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gansearch.diagnosis.facts import NOTHING_WRONG
from gansearch.diagnosis.rules.evidence import Evidence
from gansearch.diagnosis.rules.finding import KINDS, Finding
from gansearch.diagnosis.rules.memory import SURE, last_augment
from gansearch.diagnosis.rules.metrics import metric_of
from gansearch.diagnosis.training_log import TrainingLog
from gansearch.formatting import step_text, words

CLEAR = 0.1
"""The share by which a metric's best value is better than its last one, to go back to it."""


def questions(log: TrainingLog, findings: Sequence[Finding]) -> Iterator[tuple[str, str]]:
    """Yields each question with its answer in a sentence or two."""
    wrong = [finding for finding in findings if finding.is_verdict]
    yield "Is it broken, or does it look like that?", _broken(wrong)
    yield "Stop, go on, or roll back?", _moment(log, wrong)
    advice = next((finding.advice for finding in wrong if finding.advice), "")
    measured = "By how much, a log does not tell: gansearch sweep tries it."
    yield (
        "Which setting, and by how much?",
        f"{advice} {measured}" if advice else f"Nothing here asks for one. {measured}",
    )
    yield "On how many seeds does it hold?", "On one: this log is of one run. Compare it with those of other seeds."
    yield "Is D memorising?", _memory(log, findings)


def _broken(wrong: Sequence[Finding]) -> str:
    if not wrong:
        return f"{NOTHING_WRONG} That is what a healthy run looks like, too."
    first = wrong[0]
    also = f" {len(wrong) - 1} more below." if len(wrong) > 1 else ""
    return f"Broken ({first.grade}): {words(first.kind)}. {KINDS[first.kind]}{also}"


def _moment(log: TrainingLog, wrong: Sequence[Finding]) -> str:
    for name, values in log.metrics.items():
        metric, known = metric_of(name), np.flatnonzero(np.isfinite(values))
        if metric is None or len(known) < 3 or name in log.broken_metrics:
            continue
        best, last = known[(np.argmin if metric.smaller_is_better else np.argmax)(values[known])], known[-1]
        at = f"{values[best]:.4g} at {log.step_name} {log.steps[best]:,.0f}"
        if abs(values[last] - values[best]) > CLEAR * abs(values[best]):
            return f"Roll back: {name} was best, {at}, and is {values[last]:.4g} at the end."
        if best == last:
            return f"Go on: {name} is at its best at the end, {at}."
        return f"Stop there: {name} was best, {at}, and has not become clearly better since."
    if wrong and wrong[0].kind == "not_started":
        return "Go on until it begins."
    broken = [name for name in log.broken_metrics if metric_of(name)]
    measured = f"{broken[0]} ended as no number." if broken else "No column measures the samples."
    since = [finding.since for finding in wrong if finding.since is not None]
    if since and min(since) <= log.steps[0]:
        return f"Stop: it has been so from the first record. {measured}"
    if since:
        began = f"{log.step_name} {step_text(min(since))}, where it began"
        return f"Stop, or roll back to before {began}. {measured}"
    return f"Not known. {measured} Losses do not say when to stop."


def _memory(log: TrainingLog, findings: Sequence[Finding]) -> str:
    found = next((finding for finding in findings if finding.kind == "memorising"), None)
    if found:
        return found.text
    signed = [one for one in (Evidence(log, game) for game in log.games) if one.has("sign_real")]
    if signed:
        highest = max(signed, key=lambda one: one.judged("sign_real"))
        sign = highest.judged("sign_real")
        if sign > SURE:
            return f"Not known: r_t is {sign:.2f} while the augmentation is at p = {last_augment(highest):.2f}."
        return f"No: the mean sign of D's scores of training reals, r_t, stays under {SURE:g}."
    scores = "D's scores of held-out reals beside those of training reals"
    return f"Not known: {scores} tell; StabilityMonitor takes them as seen=."
