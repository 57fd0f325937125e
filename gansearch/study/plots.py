"""The figures of a study as methods: the same that its report shows, as plotly figures."""

from __future__ import annotations

from functools import cached_property

import plotly.graph_objects as go

from gansearch.store.folder import StudyError
from gansearch.study.analysis.surrogate import Surrogate
from gansearch.study.data import StudyData
from gansearch.study.figures import compute as figures_compute
from gansearch.study.figures import curves as figures_curves
from gansearch.study.figures import trials as figures_trials
from gansearch.study.figures import winner as figures_winner
from gansearch.study.figures.base import EmptyFigureError


class Plots(StudyData):
    """The figures of a study. Each raises StudyError where there is nothing to draw, and says why.

    Of more than 1,500 trials a figure draws a part, evenly from each verdict; `layout.meta["drawn"]` says how many.
    """

    def plot_stability_map(self, x: str | None = None, y: str | None = None) -> go.Figure:
        """The trials over two searched parameters, their verdicts as colours, with contours of the expected stability.

        lr_ratio and update_ratio if they are not named; with one parameter the other axis is the stability.
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
        """Stability against distance, with the front of the healthy trials."""
        return figures_trials.pareto(self.trials, self._best)

    def plot_curves(self, trial: int | None = None) -> go.Figure:
        """What D answers, saturation, separability and gradients of a trial; of the chosen one if it is not given."""
        number = self._number(trial)
        verdict = self.trials.loc[self.trials["number"] == number, "verdict"].iloc[0]
        return figures_curves.curves(self.curves, number, verdict if isinstance(verdict, str) else None)

    def plot_importance(self) -> go.Figure:
        """The share of the differences between trials that each parameter explains, for stability and for distance."""
        return figures_winner.importance(self.importance)

    def plot_slices(self, target: str = "stability") -> go.Figure:
        """The stability or the distance of the trials over each searched parameter."""
        if target not in ("stability", "distance"):
            raise StudyError(f"no slices of {target!r}: it is not one of stability, distance")
        return figures_trials.slices(self.trials, self.experiment, target, self._best)

    def plot_parallel(self) -> go.Figure:
        """A line a trial through each searched parameter, its stability and its distance."""
        return figures_trials.parallel(self.trials, self.experiment, self._best)

    def plot_seeds(self) -> go.Figure:
        """Each seed of the confirmed candidates, and of the default settings where they are known."""
        return figures_winner.seeds(self.groups)

    def plot_neighbourhood(self, trial: int | None = None) -> go.Figure:
        """What is expected around a trial, a parameter at a time; around the chosen one if it is not given."""
        return figures_winner.neighbourhood(self.trials, self.experiment, self._number(trial))

    def plot_timeline(self) -> go.Figure:
        """The trials of each slot over the time, by verdict."""
        return figures_compute.timeline(self.trials)

    @cached_property
    def map_pairs(self) -> list[tuple[str, str]]:
        """The pairs of parameters that a map makes sense of, the most telling first."""
        return figures_trials.map_pairs(self.trials, self.experiment, list(self.importance.get("stability", ())))

    @cached_property
    def surrogate(self) -> Surrogate | None:
        """What a forest expects of the stability anywhere in the searched space."""
        return figures_trials.surrogate_of(self.trials)

    @property
    def _best(self) -> int | None:
        return self.best.number if self.best else None

    def _number(self, trial: int | None) -> int:
        """A trial that is there."""
        if trial is None:
            if self.choice is None:
                raise EmptyFigureError("no trial has a verdict" if len(self.trials) else "no trial has ended yet")
            return self.choice.number
        if trial not in set(self.trials["number"]):
            raise StudyError(f"{self.folder.path}: there is no trial {trial!r} among {len(self.trials)}")
        return int(trial)
