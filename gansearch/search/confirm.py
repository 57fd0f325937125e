"""The best candidates and the default settings, trained on fresh seeds as trials of Ray Tune.

They are no trials of the sweep: they have no rows in its tables and no entries in its study.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

import pandas as pd
from ray import tune
from ray.tune.experiment import Trial

from gansearch.experiment import Experiment
from gansearch.search.sampling.searcher import LimitedSearcher
from gansearch.search.session import Session
from gansearch.search.supervisor import Supervisor
from gansearch.search.tuning import MOST_TRIALS, SweepCallback, name_of
from gansearch.search.worker.checkpoints import forget, ray_folder
from gansearch.search.worker.run import Ending
from gansearch.search.worker.trial import TrialRun
from gansearch.search.worker.worker import run_trial
from gansearch.stability.result import SeedResult
from gansearch.store.confirmation import FreshSeed, read_confirmation, read_default, write_confirmation, write_default
from gansearch.store.folder import Folder
from gansearch.store.record import TrialRecord
from gansearch.store.samples import write_moments, write_samples
from gansearch.study.analysis.choose import candidates
from gansearch.study.analysis.race import FIRST_SEED, FreshRun, next_runs, rules_of
from gansearch.study.analysis.seeds import with_default


def missing(
    folder: Folder, experiment: Experiment, records: Sequence[TrialRecord], running: Collection[FreshRun] = ()
) -> list[FreshRun]:
    """Return the runs on fresh seeds that a sweep has yet to do beside those under way, as far as it is known by now.

    They are the next ones of the race; in a folder that was begun before there was one, those of all candidates.
    """
    if experiment.confirm is None or not records:
        return []
    budget = experiment.confirm.updates
    # One whose budget was changed since then confirms nothing.
    results = [entry for entry in [*read_confirmation(folder), *read_default(folder)] if entry.budget == budget]
    trials = pd.DataFrame([record.row for record in records])
    if folder.races:
        return next_runs(trials, results, running, rules_of(experiment, trials))
    done = {*running, *(FreshRun(entry.number, entry.seed) for entry in results)}
    numbers = with_default(experiment, trials, candidates(trials, experiment.confirm.top))
    return [run for number in numbers for seed in _seeds(experiment) if (run := FreshRun(number, seed)) not in done]


def affordable(session: Session, records: Sequence[TrialRecord], running: Collection[FreshRun] = ()) -> list[FreshRun]:
    """Return the same; none where they are not expected to end within the total time."""
    in_time = session.total_time.has_run(records)
    return missing(session.folder, session.experiment, records, running) if in_time else []


@contextmanager
def confirming(
    session: Session, records: Sequence[TrialRecord], params: Callable[[int], Mapping[str, Any]]
) -> Iterator[tune.Tuner]:
    """Yield a tuner that trains the missing runs, one in each slot; `params` gives those of a trial.

    Each result is in confirmation.json or default.json as soon as it is known, so that a resumed sweep does the rest. A
    run whose worker hangs is tried once more, and one that fails is recorded as failed.
    """
    experiment = session.worker_experiment.model_copy(update={"replicas": 1, "prune": False})
    budget = experiment.confirm.updates if experiment.confirm else None
    longer = {"updates": budget} if budget else {}

    def config(run: FreshRun) -> dict[str, Any]:
        chosen = {} if run.number is None else params(run.number)
        return _config(run, {**chosen, **longer}, _seeds(experiment)[0])

    if budget:  # as many probes as in a trial, with more updates between them
        session.patience.factor = max(1.0, budget / experiment.training.updates)
    searcher = RaceSearcher(partial(affordable, session, records), config, session.listener.chosen)
    supervisor = session.supervisor(searcher)
    recorder = ConfirmationRecorder(session, supervisor)
    make = pickle.dumps(partial(TrialRun, experiment))
    train = partial(run_trial, session.origin, make, rows=session.slots.rows)
    options = {"search_alg": searcher, "num_samples": MOST_TRIALS, "max_concurrent_trials": MOST_TRIALS}
    with session.tuning(train, [supervisor, recorder], **options) as tuner:
        yield tuner


class RaceSearcher(LimitedSearcher):
    """Gives Tune the configs of the runs that are missing, which is decided anew whenever one has ended."""

    ahead = False  # the next run depends on how this one ends

    def __init__(
        self,
        missing: Callable[[Collection[FreshRun]], list[FreshRun]],
        config: Callable[[FreshRun], dict[str, Any]],
        chosen: Callable[[], None],
    ):
        """`missing` returns the runs beside those under way; `chosen` is called once only default settings train."""
        super().__init__()
        self._missing, self._config, self._chosen = missing, config, chosen
        self._waiting: list[FreshRun] | None = None
        self._running: dict[str, FreshRun] = {}
        self._is_chosen = False

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return the next config; None while enough are under way, or while these decide on the next one."""
        if self._waiting is None:
            self._waiting = self._missing(self._running.values())
        if not self._waiting and not self._running:
            return str(self.FINISHED)
        if not self._is_chosen and all(run.number is None for run in (*self._waiting, *self._running.values())):
            self._is_chosen = True
            self._chosen()
        if not self._waiting or len(self._running) >= self.most:
            return None
        self._running[trial_id] = self._waiting.pop(0)
        return {**self._config(self._running[trial_id]), **self.resources}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Make room for the next one, which depends on what is recorded of this one."""
        self._running.pop(trial_id, None)
        self._waiting = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out everything: Tune pickles its searcher for a resumption that is not used."""
        return {}


class ConfirmationRecorder(SweepCallback):
    """Tune's callback that writes down the results of confirmation runs and notifies the listener."""

    def __init__(self, session: Session, supervisor: Supervisor):
        """Record into the session's folder."""
        self._folder, self._experiment, self._listener = session.folder, session.experiment, session.listener
        self._supervisor = supervisor
        self._running: set[FreshRun] = set()
        self._ended: set[FreshRun] = set()

    def on_trial_start(self, trial: Trial, **info: Any) -> None:
        """Note that a run begins; not where it resumes after the death of its worker."""
        run = _run_of(trial)
        if run not in self._running:
            self._running.add(run)
            # Checkpoints of an interrupted run of this name are newer by their numbers than those that come.
            forget(self._folder, ray_folder(self._folder, name_of(trial)))
            self._listener.confirming(run.number, run.seed, None)

    def on_trial_result(self, trial: Trial, result: dict[str, Any], **info: Any) -> None:
        """Record an ending. Take the rest out of the report, which Tune keeps: confirmation runs have no curves."""
        result.pop("rows")
        ending: Ending | None = result.pop("ending", None)
        run = _run_of(trial)
        if ending and run not in self._ended:
            if ending.moments:
                write_moments(self._folder.record(run.number), **ending.moments)
            if ending.samples is not None and run.seed == _seeds(self._experiment)[0]:
                write_samples(self._folder, run.number, ending.samples, ending.shown, confirmed=True)
            self._record(run, _failed(run, ending.error) if ending.error else ending.seeds[0])

    def on_trial_error(self, trial: Trial, **info: Any) -> None:
        """Record a run whose workers died too often, or hung twice."""
        run = _run_of(trial)
        if run not in self._ended:
            self._record(run, _failed(run, self._supervisor.failure(trial)))

    def _record(self, run: FreshRun, result: SeedResult) -> None:
        self._ended.add(run)
        budget = self._experiment.confirm and self._experiment.confirm.updates
        entry = FreshSeed(**asdict(result), number=run.number, budget=budget or None)
        if run.number is None:
            # What others have left there, on other seeds or with another budget, is no pair to the candidates' runs.
            fresh = [seed for seed in _seeds(self._experiment) if seed != run.seed]
            others = [e for e in read_default(self._folder) if e.seed in fresh and e.budget == entry.budget]
            write_default(self._folder, [*others, entry])
        else:
            others = [e for e in read_confirmation(self._folder) if (e.number, e.seed) != (run.number, run.seed)]
            write_confirmation(self._folder, [*others, entry])
        self._listener.confirming(run.number, run.seed, result)


def _config(run: FreshRun, params: Mapping[str, Any], first: int) -> dict[str, Any]:
    """Return what the worker of a run is given; of the `first` seed samples are kept at several moments."""
    name = f"confirm-{'default' if run.number is None else f'{run.number:05d}'}-{run.seed}"
    what = {"number": run.number, "seed": run.seed, "params": dict(params), "moments": run.seed == first}
    return {"name": name, "checkpoints": [], **what}


def _run_of(trial: Trial) -> FreshRun:
    return FreshRun(trial.config["number"], trial.config["seed"])


def _seeds(experiment: Experiment) -> list[int]:
    """Return the fresh seeds, the same for every configuration."""
    assert experiment.confirm is not None
    return [experiment.seed + FIRST_SEED + i for i in range(experiment.confirm.replicas)]


def _failed(run: FreshRun, error: str) -> SeedResult:
    """Return the result of a run that left none; it counts as the worst verdict."""
    return SeedResult(
        seed=run.seed,
        status="failed",
        error=error,
        verdict="diverged",
        sentence="The run raised.",
        stability=math.nan,
        distance=math.nan,
        train_seconds=0.0,
    )
