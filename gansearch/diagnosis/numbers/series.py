"""Quantities that were logged apart from each other, as one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from gansearch.diagnosis.numbers.records import Records

Series = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""By name the (n,) steps and values of a quantity."""


def in_order(events: Iterable[tuple[float, str, float]]) -> Records:
    """A table of (step, name, value) as logged; a record ends where the step changes or a name comes again."""
    records, record, step = Records(), -1, None
    columns: dict[str, tuple[list[int], list[float]]] = {"step": ([], [])}
    names: set[str] = set()
    for at, name, value in events:
        if at != step or name in names:
            record, step = record + 1, at
            names.clear()
            columns["step"][0].append(record)
            columns["step"][1].append(at)
        names.add(name)
        ids, values = columns.setdefault(name, ([], []))
        ids.append(record)
        values.append(value)
    records.add_lines(range(record + 1), range(1, record + 2))
    for name, (ids, values) in columns.items():
        records.add(name, np.array(ids, np.int64), np.array(values))
    return records


def joined(series: Series, step: str = "step") -> Records:
    """A table of quantities with steps of their own. Of one that was logged twice at a step the last counts."""
    steps = [pair[0] for pair in series.values()]
    records = Records()
    if not steps:
        return records
    same = all(len(one) == len(steps[0]) and (one == steps[0]).all() for one in steps)
    every = steps[0] if same else np.unique(np.concatenate(steps))
    records.add_lines(range(len(every)), range(1, len(every) + 1))
    records.add(step, np.arange(len(every)), every.astype(float))
    for name, (at, values) in series.items():
        records.add(name, np.arange(len(every)) if same else np.searchsorted(every, at), values)
    return records
