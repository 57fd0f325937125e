"""Columns of quality: values that they cannot have, and what they did."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gansearch.diagnosis.rules.finding import Finding
from gansearch.diagnosis.training_log import TrainingLog
from gansearch.formatting import step_text

RISE = 0.2
"""Share of the way from the first value to the best one, back over which the last one is said to have gone back."""


@dataclass(frozen=True)
class Metric:
    """What is known of a metric."""

    pattern: str
    """Of its name."""
    least: float
    """Values under it are impossible."""
    most: float
    """Values over it are impossible, or have not been seen with the usual features."""
    smaller_is_better: bool
    unlikely: float = math.inf
    """Values over it, after the first one, have not been seen with the usual features."""


METRICS = (
    Metric("fid", -0.01, math.inf, True, 1000.0),
    Metric("kid|mmd", -math.inf, math.inf, True),  # an unbiased estimate may be below 0
    Metric(r"inception|(^|[^a-z])is(_|50k|$|[^a-z])|(^|[^a-z])is\d", 0.999, math.inf, False),
    Metric("precision|recall|coverage", -1e-6, 1 + 1e-6, False),
    Metric("ppl|lpips|swd|distance", -1e-6, math.inf, True),
)
"""By the names of their columns, the first that matches."""


def broken(log: TrainingLog) -> Iterator[Finding]:
    """A metric with a value that it cannot have: a distance below 0, a score below its least, nan.

    A Fréchet distance is a squared distance, ≥ 0; e^KL of an Inception score is ≥ 1; precision and recall are shares.
    """
    for name, values in log.metrics.items():
        metric = metric_of(name)
        known = np.flatnonzero(np.isfinite(values))
        printed = np.flatnonzero(~np.isnan(values))
        if metric and len(printed) and name in log.broken_metrics and np.isinf(values[printed[-1]]):
            yield _infinite(log, name, int(known[-1]) if len(known) else -1)
        if metric is None or not len(known):
            continue
        wrong = known[(values[known] < metric.least) | (values[known] > metric.most)]
        odd = known[1:][values[known[1:]] > metric.unlikely]
        if not len(wrong) and not len(odd):
            continue
        record = wrong[0] if len(wrong) else odd[0]
        if values[record] < metric.least:
            why = f"it cannot be under {metric.least:.3g}"
        elif values[record] > metric.most:
            why = f"it cannot be over {metric.most:.3g}"
        else:
            why = f"with the usual features it is not over {metric.unlikely:,.0f} after the start"
        text = f"{name} is {values[record]:.4g} at {log.step_name} {log.steps[record]:,.0f}: {why}."
        at = float(log.steps[record]), int(log.lines[record])
        yield Finding("metric_broken", "proven" if len(wrong) else "likely", text, *at)


def _infinite(log: TrainingLog, name: str, before: int) -> Finding:
    """A metric that is infinite in the end, from the first such record after the one `before` on."""
    values = log.metrics[name]
    first = before + 1 + int(np.flatnonzero(np.isinf(values[before + 1 :]))[0])
    step = f"{log.step_name} {step_text(log.steps[first])}"
    text = f"{name} is {values[first]:g} from {step} to the end: of finite samples it is finite."
    return Finding("metric_broken", "proven", text, float(log.steps[first]), int(log.lines[first]))


def trend(log: TrainingLog) -> Iterator[Finding]:
    """What each metric did: its first, best and last value. It is the only thing here that is about the samples."""
    for name, values in log.metrics.items():
        known = np.flatnonzero(np.isfinite(values))
        metric = metric_of(name)
        if metric is None or len(known) < 2:
            continue
        first, last = known[0], known[-1]
        best = known[(np.argmin if metric.smaller_is_better else np.argmax)(values[known])]
        text = f"{name} went from {values[first]:.4g} ({log.step_name} {log.steps[first]:,.0f})"
        if best in (first, last):
            text += f" to {values[last]:.4g} ({log.step_name} {log.steps[last]:,.0f})"
            text += ", its best value." if best == last else ", and was never better than at first."
        else:
            text += f" to its best value, {values[best]:.4g} ({log.step_name} {log.steps[best]:,.0f}), "
            back = abs(values[last] - values[best]) > RISE * abs(values[first] - values[best])
            text += f"and {'back to' if back else 'is'} {values[last]:.4g} at the end."
        yield Finding("trend", "note", text, float(log.steps[best]), int(log.lines[best]))


def metric_of(name: str) -> Metric | None:
    """What is known of a column by its name; None for one that no rule is about."""
    return next((metric for metric in METRICS if re.search(metric.pattern, name.lower())), None)
