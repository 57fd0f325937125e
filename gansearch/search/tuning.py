"""How Ray Tune is called, for the trials of a sweep and for their confirmation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ray import tune
from ray.tune.callback import Callback

from gansearch.search.cluster.ray_patches import make_tuner, patched
from gansearch.search.worker.checkpoints import storage_options, trial_name
from gansearch.store.folder import Folder

FAILURES = 2
"""Deaths of its worker that a trial survives."""
MOST_TRIALS = 10_000
"""Tune's limit of trials under way, for searchers that have a limit of their own: Tune's cannot change."""

Trainable = Callable[[dict[str, Any]], None]
"""What a worker runs, given the config of a Tune trial."""


class Stop(Exception):
    """Raised by a callback to have Tune clean up and return."""


class SweepCallback(Callback):
    """A callback without a state of its own: the Optuna study and the records hold the state of a sweep."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave out everything: Tune pickles its callbacks for a resumption that is not used."""
        return {}


@contextmanager
def tuning(
    folder: Folder,
    trainable: Trainable,
    resources: Callable[[dict[str, Any]], tune.PlacementGroupFactory],
    callbacks: Sequence[SweepCallback],
    param_space: dict[str, Any] | None = None,
    **options: Any,
) -> Iterator[tune.Tuner]:
    """Yield a tuner whose `fit()` returns when all trials have ended or a callback has raised Stop.

    `resources` returns those of a trial, given its config. `options` are those of tune.TuneConfig. The tuner's own
    files, and the checkpoints of its trials, are under trials/ray of the results folder.
    """
    tuner = make_tuner(
        tune.with_resources(trainable, resources),
        param_space=param_space,
        tune_config=tune.TuneConfig(
            **options, reuse_actors=True, trial_name_creator=name_of, trial_dirname_creator=name_of
        ),
        run_config=tune.RunConfig(
            name="ray",
            **storage_options(folder),
            verbose=0,
            callbacks=list(callbacks),
            failure_config=tune.FailureConfig(max_failures=FAILURES),
        ),
    )
    with patched(), suppress(Stop):
        yield tuner


def name_of(trial: tune.experiment.Trial) -> str:
    """Return the name of a Tune trial and of its folder, by its number unless its config has a name."""
    return str(trial.config.get("name") or trial_name(trial.config["number"]))
