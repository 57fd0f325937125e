"""Checks of an experiment that need Optuna: the search space, the sampler, where a search starts."""

from __future__ import annotations

from gansearch.experiment import Experiment, ExperimentError, unusual
from gansearch.gan.registry import name_elsewhere
from gansearch.search.callbacks.trackers import check_trackers
from gansearch.search.errors import SweepError
from gansearch.search.population.member import exchanges
from gansearch.search.sampling.prior import prior_centres
from gansearch.search.sampling.samplers import make_sampler
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.start_points import start_points
from gansearch.search.sampling.warm_start import warm_trials


def check_search(experiment: Experiment, new: bool = True) -> SearchSpace:
    """Return the space of an experiment whose search can be run.

    A study that is not `new` has its starting points and its earlier trials already.

    Raises:
        ExperimentError: The space, the sampler, a starting point or a tracker is wrong, or a password is left out.
        SweepError: `warm_start` is wrong, or only this process knows the task.
    """
    experiment.check_secrets()
    name = name_elsewhere(experiment.task_name)
    if name:
        raise SweepError(f"task: only this process knows {experiment.task!r}, and trials run in others: write {name}")
    space = SearchSpace(experiment)
    make_sampler(experiment)
    if experiment.is_population:
        exchanges(experiment)
    check_trackers(experiment)
    if new:
        if doubts := dict(unusual(experiment.search)):
            raise ExperimentError(experiment.name, doubts)
        start_points(space)
        warm_trials(space)
        prior_centres(experiment)
    return space
