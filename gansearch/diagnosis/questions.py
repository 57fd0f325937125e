"""The five questions that every report answers first, as far as a log can answer them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gansearch.diagnosis.facts import NOTHING_WRONG
from gansearch.diagnosis.rules.finding import KINDS, Finding
from gansearch.diagnosis.rules.memory import SURE
from gansearch.diagnosis.rules.metrics import metric_of
from gansearch.diagnosis.training_log import TrainingLog
from gansearch.formatting import words

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
        if metric is None or len(known) < 3:
            continue
        best, last = known[(np.argmin if metric.smaller_is_better else np.argmax)(values[known])], known[-1]
        at = f"{values[best]:.4g} at {log.step_name} {log.steps[best]:,.0f}"
        if abs(values[last] - values[best]) > CLEAR * abs(values[best]):
            return f"Roll back: {name} was best, {at}, and is {values[last]:.4g} at the end."
        if best == last:
            return f"Go on: {name} is at its best at the end, {at}."
        return f"Stop there: {name} was best, {at}, and has not become clearly better since."
    since = [finding.since for finding in wrong if finding.since is not None]
    if since:
        began = f"{log.step_name} {min(since):,.0f}, where it began"
        return f"Stop, or roll back to before {began}. No column measures the samples."
    return "Not known: no column measures the samples. Losses do not say when to stop."


def _memory(log: TrainingLog, findings: Sequence[Finding]) -> str:
    found = next((finding for finding in findings if finding.kind == "memorising"), None)
    if found:
        return found.text
    if any("sign_real" in game.values for game in log.games):
        return f"No: the mean sign of D's scores of training reals, r_t, stays under {SURE:g}."
    scores = "D's scores of held-out reals beside those of training reals"
    return f"Not known: {scores} tell; StabilityMonitor takes them as seen=."
