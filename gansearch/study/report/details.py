"""What the page shows of a trial whose row is chosen: its curves, its sentence, and its settings to copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gansearch.experiment import Choices, Range
from gansearch.store.trial_files import read_record
from gansearch.study.analysis.choose import plain
from gansearch.study.plots import Plots

MOST = 300
"""Trials that have details; those of others are in their folders."""
_POINTS = 40
_CURVES = ("p_real", "p_fake", "separability", "distance")


def details_of(study: Plots, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return the details of the first of some trials, by number: plain data for the page's script."""
    searched = [name for name, entry in study.experiment.search.items() if isinstance(entry, Range | Choices)]
    entries = study.experiment.search.items()
    nullable = {name for name, entry in entries if isinstance(entry, Choices) and None in entry.choices}
    rows = study.trials.set_index("number")
    chosen = list(numbers[:MOST])
    curves = study.curves[study.curves["number"].isin(chosen)]
    parts = dict(iter(curves.groupby("number")))
    section = "params" if study.experiment.is_loop else "training"
    found = {}
    for number in chosen:
        record = read_record(study.folder, number)
        params = {name: plain(rows.at[number, name]) for name in searched}
        params = {name: value for name, value in params.items() if value is not None or name in nullable}
        found[int(number)] = {
            "section": section,
            "params": params,
            "sentence": record.sentence(plain(rows.at[number, "verdict"])) if record else "",
            "curves": _curves(parts[number]) if number in parts else {},
        }
    return found


def _curves(probes: pd.DataFrame) -> dict[str, list[float | None]]:
    """Return medians over the seeds by update, in three digits; None where nothing was measured.

    They are at most 40, and all at which the distance was measured.
    """
    medians = probes[np.isfinite(probes["update"])].groupby("update")[list(_CURVES)].median()
    measured = medians["distance"].notna().to_numpy()
    even = np.isin(np.arange(len(medians)), np.linspace(0, len(medians) - 1, _POINTS).astype(int))
    medians = medians[even | measured]
    columns = {name: [_short(value) for value in medians[name]] for name in _CURVES}
    return {"update": medians.index.tolist(), **columns}


def _short(value: float) -> float | None:
    return float(f"{value:.3g}") if np.isfinite(value) else None
