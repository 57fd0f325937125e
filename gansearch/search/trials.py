"""The trials of a sweep: what is searched, trained and recorded."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import optuna
import ray
from ray import tune
from ray.actor import ActorHandle
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from gansearch.experiment import Experiment
from gansearch.search.population.member import Member, exchanges
from gansearch.search.population.scheduler import Members, Population, starting_points
from gansearch.search.recorder import Recorder
from gansearch.search.resume import open_repaired
from gansearch.search.sampling.searcher import StudySearcher
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.space_change import in_space, trained, with_columns
from gansearch.search.sampling.start_points import enqueue
from gansearch.search.sampling.stopping import Budget
from gansearch.search.sampling.warm_start import warm_up
from gansearch.search.session import Session
from gansearch.search.tuning import MOST_TRIALS, Trainable
from gansearch.search.worker.checkpoints import own_checkpoints
from gansearch.search.worker.halving import Rungs
from gansearch.search.worker.process import Origin
from gansearch.search.worker.racing import Race
from gansearch.search.worker.trial import TrialRun
from gansearch.search.worker.worker import run_trial
from gansearch.store.folder import write_whole
from gansearch.store.record import TrialRecord, scheduled
from gansearch.study.analysis.choose import candidates
from gansearch.study.analysis.race import nearest


class Trials:
    """The trials of a sweep, those of earlier runs included."""

    def __init__(self, session: Session, space: SearchSpace, records: Sequence[TrialRecord]):
        """Bring the folder's study into the space, with all that it lost or has yet to try."""
        self._session, self._space = session, space
        experiment, folder = session.experiment, session.folder
        self.study: optuna.Study = in_space(open_repaired(folder, experiment, records), folder, space)
        write_whole(folder.experiment, experiment.to_yaml())
        warm_up(self.study, space)
        enqueue(self.study, space)
        known = [with_columns(experiment, record) for record in records]
        budget = Budget(experiment, known, session.total_time)
        searcher = StudySearcher(self.study, space, budget, partial(own_checkpoints, folder))
        self._searcher, self._supervisor = searcher, session.supervisor(searcher)
        self.recorder = Recorder(
            folder,
            experiment,
            searcher,
            session.listener,
            session.slots,
            session.gpu_use,
            session.hardware,
            records=known,
            failure=self._supervisor.failure,
        )
        session.listener.begin(experiment, folder, session.slots.now, len(known))
        if known:
            self.recorder.write_tables()  # in the columns of this space

    @property
    def missing(self) -> int:
        """Trials that the sweep has yet to do."""
        return self._session.experiment.most_trials - len(self.recorder.records)

    @contextmanager
    def tuning(self) -> Iterator[tune.Tuner]:
        """Yield a tuner that trains the missing trials."""
        experiment, callbacks = self._session.experiment, [self._supervisor, self.recorder]
        with actors(self._session, self.recorder.records) as (rungs_actor, race_actor):
            given = self._session.worker_experiment, self._session.origin, rungs_actor, race_actor
            train = trainable(*given, self._session.slots.rows)
            if experiment.is_population:
                options: dict[str, Any] = {
                    "search_alg": Members(),
                    "scheduler": Population(experiment, len(self.recorder.records)),
                    "param_space": starting_points(self._searcher, self.missing),
                }
            else:
                options = {"search_alg": self._searcher, "num_samples": self.missing}
                options["max_concurrent_trials"] = MOST_TRIALS
            with self._session.tuning(train, callbacks, **options) as tuner:
                yield tuner

    def ended_early(self, why: str) -> None:
        """Let run.json say why the sweep ends early, unless the trials have a reason of their own."""
        self._searcher.why = self._searcher.why or why

    def params(self, number: int) -> dict[str, Any]:
        """Return what a trial trained, as `Training.with_params` takes it."""
        record = next(record for record in self.recorder.records if record.number == number)
        return scheduled(trained(self._space, self.study, record), record.schedule)


def trainable(
    experiment: Experiment,
    origin: Origin,
    rungs: ActorHandle | None = None,
    race: ActorHandle | None = None,
    rows: int = 1,
) -> Trainable:
    """Return the function that Ray Tune runs for each trial of an experiment; with actors of Rungs and of Race.

    So many `rows` share a process.
    """
    is_population = experiment.is_population
    make = partial(Member, experiment, exchanges(experiment)) if is_population else partial(TrialRun, experiment)
    return partial(run_trial, origin, pickle.dumps(make), rungs=rungs, race=race, rows=rows)


@contextmanager
def actors(session: Session, records: Sequence[TrialRecord]) -> Iterator[tuple[ActorHandle | None, ActorHandle | None]]:
    """Yield the actors that trials ask at rungs and for further seeds, as far as the experiment wants them.

    They begin with the trials that have ended. Their node is the driver's, with Ray Client the one that it is connected
    to: without that the sweep cannot go on, while another node may leave, and trials would no longer be stopped or earn
    seeds. They are killed afterwards: Tune keeps the trainable, and with it the handles, as long as Ray runs.
    """
    experiment = session.experiment
    driver = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    on_driver = ray.remote(num_cpus=0, scheduling_strategy=driver)
    compare = experiment.prune and not experiment.is_population
    earn = experiment.least_replicas < experiment.most_replicas
    standings = [standing for record in records for standing in record.standings]
    seeds = {record.number: record.seeds for record in records if not record.error}
    top = experiment.confirm.top if experiment.confirm else 1
    choose = nearest if session.folder.races else candidates
    chosen = (
        on_driver(Rungs).remote(experiment.stops_by_distance, standings) if compare else None,
        on_driver(Race).remote(top, seeds, choose) if earn else None,
    )
    try:
        yield chosen
    finally:
        for actor in filter(None, chosen):
            ray.kill(actor)
