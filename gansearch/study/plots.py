"""The figures of a study, as methods that return plotly figures; the report shows the same."""

from __future__ import annotations

import math
from functools import cached_property

import pandas as pd
import plotly.graph_objects as go

from gansearch.store.folder import StudyError
from gansearch.store.trial_files import read_record, read_source
from gansearch.study.analysis.seeds import default_trial
from gansearch.study.analysis.surrogate import Surrogate, stability_surrogate
from gansearch.study.data import StudyData
from gansearch.study.figures import bands as figures_bands
from gansearch.study.figures import compute as figures_compute
from gansearch.study.figures import curves as figures_curves
from gansearch.study.figures import trials as figures_trials
from gansearch.study.figures import winner as figures_winner
from gansearch.study.figures.base import EmptyFigureError
from gansearch.study.figures.groupings import Grouping, groupings


class Plots(StudyData):
    """The figures of a study. Each method raises StudyError with the reason where there is nothing to draw.

    Of more than 1,500 trials a figure shows a part, evenly from each verdict; `layout.meta["drawn"]` is their number.
    """

    def plot_stability_map(self, x: str | None = None, y: str | None = None) -> go.Figure:
        """Plot the trials over two searched parameters, coloured by verdict, with contours of the expected stability.

        By default they are lr_ratio and update_ratio, or else the most important ones. With one name the other axis is
        the stability.
        """
        pairs = self.map_pairs
        if not pairs:
            raise EmptyFigureError("no searched parameter differs between trials")
        if x is None and y is None:
            x, y = pairs[0]
        names = figures_trials.varied(self.trials, self.experiment)
        for name in (x, y := y or "stability"):
            if name not in (*names, "stability"):
                raise StudyError(f"no map over {name!r}: it is not one of {', '.join(names)}")
        return figures_trials.stability_map(self.trials, self.experiment, x or names[0], y, self._best, self.surrogate)

    def plot_pareto(self) -> go.Figure:
        """Plot the stability over the distance, with the Pareto front of the healthy trials."""
        return figures_trials.pareto(self.trials, self._best)

    def plot_curves(self, trial: int | None = None) -> go.Figure:
        """Plot D's answers, saturation, separability and gradient norms of a trial, by default the chosen one.

        Trouble that began late in a seed, by which it is judged, is shaded.
        """
        number = self._number(trial)
        verdict = self.trials.loc[self.trials["number"] == number, "verdict"].iloc[0]
        record = read_record(self.folder, number)
        late = {seed.seed: seed.late_since for seed in record.seeds} if record else {}
        return figures_curves.curves(self.curves, number, verdict if isinstance(verdict, str) else None, late)

    def plot_bands(self, by: str = "verdict") -> go.Figure:
        """Plot the curves of all trials in groups: a median and a band from the 10th to the 90th percentile of each.

        `by` is one of `groupings`: "verdict", a searched parameter (numbers in quarters), "distance" (at the end),
        "source", "status", "configuration" (the seeds of each), or "all trials".
        """
        if by not in self.groupings:
            raise StudyError(f"no bands by {by!r}: it is not one of {', '.join(self.groupings)}")
        return figures_bands.bands(self._runs_at, by, self.groupings[by])

    def plot_importance(self) -> go.Figure:
        """Plot the share of the variance that each parameter explains, for stability and for distance."""
        return figures_winner.importance(self.importance)

    def plot_slices(self, target: str = "stability") -> go.Figure:
        """Plot the stability, or with `target="distance"` the distance, of the trials over each searched parameter."""
        if target not in ("stability", "distance"):
            raise StudyError(f"no slices of {target!r}: it is not one of stability, distance")
        return figures_trials.slices(self.trials, self.experiment, target, self._best)

    def plot_parallel(self, nearest: float = 1.0) -> go.Figure:
        """Plot a line for each trial through its searched parameters, its stability and its distance.

        Below 1, `nearest` is the share of the trials with a distance that is drawn, those with the smallest; above 1 it
        is their number.
        """
        return figures_trials.parallel(self._nearest(nearest), self.experiment, self._best)

    def plot_seeds(self) -> go.Figure:
        """Plot each seed of the confirmed candidates, and of the default settings where they are known."""
        return figures_winner.seeds(self.groups)

    def plot_neighbourhood(self, trial: int | None = None) -> go.Figure:
        """Plot what a surrogate expects around a trial, by default the chosen one, one parameter at a time."""
        return figures_winner.neighbourhood(self.trials, self.experiment, self._number(trial))

    def plot_timeline(self) -> go.Figure:
        """Plot the trials of each slot over time, coloured by verdict."""
        return figures_compute.timeline(self.trials)

    @cached_property
    def map_pairs(self) -> list[tuple[str, str]]:
        """The pairs of parameters for which a stability map is useful, in the order in which the report shows them."""
        return figures_trials.map_pairs(self.trials, self.experiment, list(self.importance.get("stability", ())))

    @cached_property
    def groupings(self) -> dict[str, Grouping]:
        """The columns by which trials can be grouped, each with the numbers of the trials of its groups by label."""
        first = [None if self.choice is None else self.choice.number, default_trial(self.experiment, self.trials)]
        known = self.trials["number"] if self.run.get("sources") else ()
        sources = {number: source for number in known if (source := read_source(self.folder, number))}
        return groupings(self.trials, self.experiment, figures_bands.seeds_of(self._runs_at), sources, first)

    @cached_property
    def _runs_at(self) -> pd.DataFrame:
        return figures_bands.runs_of(self.curves)

    @cached_property
    def surrogate(self) -> Surrogate | None:
        """The expected stability anywhere in the searched space; None with too few trials."""
        return stability_surrogate(self.trials)

    def _nearest(self, part: float) -> pd.DataFrame:
        """The share or the number of the trials that have the smallest distances; all of them for 1."""
        measured = self.trials[self.trials["distance"].notna()]
        count = part if part > 1 else math.ceil(part * len(measured))
        return self.trials if part == 1 else measured.nsmallest(int(count), "distance")

    @property
    def _best(self) -> int | None:
        return self.best.number if self.best else None

    def _number(self, trial: int | None) -> int:
        """The number of a trial that exists, by default of the chosen one."""
        if trial is None:
            if self.choice is None:
                raise EmptyFigureError("no trial has a verdict" if len(self.trials) else "no trial has ended yet")
            return self.choice.number
        if trial not in set(self.trials["number"]):
            raise StudyError(f"{self.folder.path}: there is no trial {trial!r} among {len(self.trials)}")
        return int(trial)
