"""The samples that the report and a notebook display: real ones, and those of some configurations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gansearch.rendering.render import Display, show
from gansearch.store.samples import SampleSet, read_inputs, read_moments, read_real, read_samples
from gansearch.study.analysis.choose import candidates
from gansearch.study.plots import Plots
from gansearch.study.report.page import fragment

_MAX_DISPLAYS = 4
"""Configurations whose samples are displayed side by side, held-out reals included."""


@dataclass(frozen=True)
class Samples:
    """The samples of a configuration with the numbers of the run that generated them, or the held-out reals."""

    label: str
    display: Display
    number: int | None = None
    """Its trial; None for reals, and for default settings that are no trial."""
    verdict: str = ""
    """Empty for reals."""
    stability: float = math.nan
    distance: float = math.nan


@dataclass(frozen=True)
class Gallery:
    """The samples of the report, for a notebook."""

    samples: list[Samples]

    def _repr_html_(self) -> str:
        return fragment("gallery.html", samples=self.samples)


@dataclass(frozen=True)
class OverTime:
    """The samples of one run at several moments of its training, from the same latents."""

    label: str
    moments: Mapping[int, Display]
    """By its number of updates."""


def over_time(
    label: str, folder: Path, real: SampleSet | None = None, inputs: np.ndarray | None = None
) -> OverTime | None:
    """Return what a trial's folder, or a seed's, has of several moments; None where that is fewer than two pictures.

    Points are drawn on one scale, that of `real` where it has points; pairs beside their `inputs` and targets.
    """
    found = read_moments(folder)
    displays = show(list(found.values()), real, inputs)
    moments = {update: display for update, display in zip(found, displays, strict=True) if display.picture}
    return OverTime(label, moments) if len(moments) > 1 else None


def beside_reals(study: Plots) -> list[Samples]:
    """Return the held-out reals, if they were kept, and the samples of the configurations that are displayed.

    Samples that are shown beside their targets need no reals.
    """
    samples = samples_of(study, displayed(study))
    if not samples or all(one.display.beside for one in samples):
        return samples
    real = read_real(study.folder)
    reals = [Samples("real, held out", display) for display in show([real], real)] if real else []
    return [*reals, *samples][:_MAX_DISPLAYS]


def displayed(study: Plots) -> list[int | None]:
    """Return the trials whose samples are displayed, with None for default settings that are no trial.

    These are the choice, the default settings, the other candidates, then the most stable trials.
    """
    choice, trials = study.choice, study.trials
    ended = trials[trials["status"] == "complete"].sort_values("stability", ascending=False)
    order = [
        *([choice.number] if choice else []),
        *([study.default.number] if study.default else []),
        *(seed.number for seed in study.confirmation),
        *candidates(trials, _MAX_DISPLAYS),
        *ended["number"].head(_MAX_DISPLAYS),
    ]
    known = {None, *trials["number"]}
    numbers = [number for number in dict.fromkeys(order) if number in known]
    return [number if number is None else int(number) for number in numbers[:_MAX_DISPLAYS]]


def samples_of(study: Plots, numbers: Sequence[int | None]) -> list[Samples]:
    """Return the samples of those configurations that kept some, with points all on one scale.

    They are those of the first fresh seed, the same for all, or else of the trial's own first seed.
    """
    rows = {row.number: row for row in study.trials.itertuples()}
    fresh = {group.number: group.seeds[0] for group in study.groups if group.fresh}
    kept: list[tuple[int | None, SampleSet, Any]] = []  # with the seed or row that has the numbers
    for number in numbers:
        samples = read_samples(study.folder, number, confirmed=True) if number in fresh else None
        if samples is not None:
            kept.append((number, samples, fresh[number]))
        elif number is not None and (samples := read_samples(study.folder, number)) is not None:
            kept.append((number, samples, rows[number]))
    displays = show([samples for _, samples, _ in kept], read_real(study.folder), read_inputs(study.folder))
    return [
        Samples(_label(study, number), display, number, _verdict(run), float(run.stability), float(run.distance))
        for (number, _, run), display in zip(kept, displays, strict=True)
    ]


def _verdict(run: Any) -> str:
    return run.verdict if isinstance(run.verdict, str) else "no_verdict"


def _label(study: Plots, number: int | None) -> str:
    if number is None:
        return "default settings"
    is_default = study.default is not None and number == study.default.number
    return f"trial {number}, default settings" if is_default else f"trial {number}"
