"""A sweep from beginning to end: checks, trials, confirmation. The report and the export are others' work."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import ray
from ray import tune
from ray.tune import PlacementGroupFactory
from ray.tune.error import TuneError

from gansearch.experiment import Experiment
from gansearch.formatting import error_line
from gansearch.gan import check_task, load_task
from gansearch.interrupts import Interrupted, InterruptMessage, Interrupts
from gansearch.search.callbacks.listener import Listener, Listeners
from gansearch.search.callbacks.progress import Progress
from gansearch.search.check import check_search
from gansearch.search.cluster.cluster import cluster
from gansearch.search.cluster.nodes import check_nodes
from gansearch.search.cluster.ray_patches import make_tuner, patched
from gansearch.search.cluster.ray_settings import ray_settings
from gansearch.search.cluster.runtime_env import Code, code_for, local
from gansearch.search.confirm import confirm, missing
from gansearch.search.errors import SweepFailed
from gansearch.search.mirror import storage_of
from gansearch.search.population.member import PopulationRecorder, member, population
from gansearch.search.population.scheduler import Members, Population
from gansearch.search.recorder import FAILURES, Recorder, Stop, about_run
from gansearch.search.resume import check_folder, give_up, mend, settle
from gansearch.search.sampling.searcher import StudySearcher, open_study
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.space_change import in_space, trained, with_columns
from gansearch.search.sampling.start_points import enqueue
from gansearch.search.sampling.stopping import Budget
from gansearch.search.sampling.warm_start import warm_up
from gansearch.search.slots import Slots
from gansearch.search.watchdog import Silence
from gansearch.search.worker.checkpoints import forget, places
from gansearch.search.worker.distributed import placement
from gansearch.search.worker.halving import rungs
from gansearch.search.worker.racing import race
from gansearch.search.worker.trial import trainable
from gansearch.store.folder import Folder, as_typed, write_whole
from gansearch.store.lock import lock
from gansearch.store.object_store import join
from gansearch.store.record import TrialRecord, scheduled
from gansearch.store.repair import repair
from gansearch.store.trial_files import read_records

_LOG = logging.getLogger(__name__)

_WAIT = 10_000
"""Trials that may wait for their resources, for Ray Tune, whose limits are fixed: those of the searcher are not."""


@dataclass(frozen=True)
class Swept:
    """A sweep that has come to its end."""

    folder: Folder
    records: list[TrialRecord]
    """Of all trials, by number."""
    ran: int
    """Trials that ended in this run; 0 where the sweep was finished already."""

    @property
    def path(self) -> Path:
        return self.folder.path


def sweep(
    experiment: Experiment,
    out: str | Path | Folder | None = None,
    address: str | None = None,
    resume: bool = False,
    listeners: Iterable[Listener] = (),
    allow_change: bool = False,
) -> Swept:
    """Runs an experiment's trials and their confirmation, into `out` or results/<its folder>.

    `out` is a path, or a folder that is mirrored elsewhere.

    `address` joins a running Ray cluster; without it Ray starts on this machine and ends with the sweep.
    `resume` goes on with what is in the folder, and with `allow_change` in another search space. Raises
    SweepError, TaskError, StudyError or ExperimentError before anything is written; SweepFailed where every trial
    failed; Interrupted after Ctrl-C.
    """
    folder = out if isinstance(out, Folder) else Folder(Path(out or Path("results") / experiment.folder).absolute())
    silence = Silence(experiment.limits.stalled_minutes)
    progress = Progress(address, silence)
    told = Listeners([progress, *listeners])
    experiment = check_folder(folder, experiment, resume, allow_change)
    space = check_search(experiment, new=not folder.is_ours)
    with ExitStack() as stack:
        message = stack.enter_context(InterruptMessage(folder))  # first of all, so that it is the last to end
        stack.callback(told.close)
        if folder.is_ours:
            stack.enter_context(lock(folder))
            repair(folder)
        known = read_records(folder)
        if len(known) >= experiment.trials and not missing(folder, experiment, known):
            give_up(_study(folder, experiment, known))
            told.begin(experiment, folder, 0, len(known))
            return _ended(folder, known, len(known))
        readable = local(experiment)
        task = load_task(readable.task, readable.task_options)
        check_task(task)
        for text in task.warnings():
            _LOG.warning("warning: %s", text)
        code = code_for(experiment, folder.path) if address else Code(experiment)
        stack.enter_context(ray_settings())
        told.doing("joining the cluster" if address else "starting Ray")
        ray_cluster = stack.enter_context(cluster(address, code.runtime_env))
        stack.callback(progress.close)  # it asks Ray
        ray_cluster.slots(experiment.resources)  # raises where there is none
        storage = storage_of(folder)
        check_nodes(code.experiment, storage or folder.path)
        interrupts = stack.enter_context(Interrupts())  # after Ray, which puts handlers of its own
        if not folder.is_ours:
            folder.create(experiment)
            folder.journal.touch()
            stack.enter_context(lock(folder))
        seen = join(storage.url, folder.experiment.name) if storage else folder.experiment
        slots = Slots(code.experiment, ray_cluster, seen, told)
        stack.callback(slots.close)
        try:
            swept = _Sweep(folder, space, code.experiment, str(ray_cluster), slots, told, interrupts, silence).run()
        except (OSError, TuneError) as error:  # Ray Tune makes a traceback's text of what its callback raises
            reason = str(error).strip().splitlines()[-1]
            raise SweepFailed(folder.path, f"the sweep stopped: {reason}") from error
        progress.finished()
        message.finished = True
        if interrupts.requested:  # while the last tables were written
            raise KeyboardInterrupt
        return swept


class _Sweep:
    """A sweep whose input is good, in a folder that is its own, on a cluster that runs.

    `there` is the experiment as workers read it: with the paths of the nodes.
    """

    def __init__(
        self,
        folder: Folder,
        space: SearchSpace,
        there: Experiment,
        hardware: str,
        slots: Slots,
        listeners: Listener,
        interrupts: Interrupts,
        silence: Silence,
    ):
        self.folder, self.space, self.there, self.hardware = folder, space, there, hardware
        self.experiment = space.experiment
        self.slots, self.listeners, self.interrupts, self.silence = slots, listeners, interrupts, silence

    def run(self) -> Swept:
        known = read_records(self.folder)
        study = in_space(_study(self.folder, self.experiment, known), self.folder, self.space)
        write_whole(self.folder.experiment, self.experiment.to_yaml())
        warm_up(study, self.space)
        enqueue(study, self.space)
        records = [with_columns(self.experiment, record) for record in known]
        self.listeners.begin(self.experiment, self.folder, self.slots.now, len(records))
        recorder = self._recorder(study, records)
        if records:
            recorder.write_tables()  # in the columns of this space
        try:
            if len(records) < self.experiment.trials:
                self._trials(recorder)
            self._check_interrupt()
            if len(recorder.records) >= self.experiment.trials:
                give_up(study)
            self._confirm(study, recorder.records)
            self._check_interrupt()
        finally:
            recorder.write_tables()
        forget(self.folder, self.folder.records / "ray")
        return _ended(self.folder, recorder.records, len(records))

    def _recorder(self, study: optuna.Study, records: list[TrialRecord]) -> Recorder:
        searcher = StudySearcher(study, self.space, Budget(self.experiment, records))
        recorder = PopulationRecorder if self.experiment.is_population else Recorder
        return recorder(
            *(self.folder, self.experiment, searcher, self.listeners, self.interrupts, records),
            *(about_run(self.hardware), self.slots, self.silence),
        )

    def _trials(self, recorder: Recorder) -> None:
        resources = placement(self.experiment.resources, self.slots.bundle)
        if self.experiment.is_population:
            how: dict[str, Any] = {
                "search_alg": Members(),
                "scheduler": Population(self.experiment, len(recorder.records)),
            }
            self._fit(recorder, resources, member(self.there), how, population(self.experiment, recorder))
            return
        ranks = rungs(self.folder) if self.experiment.prune else None
        adaptive = self.experiment.least_replicas < self.experiment.most_replicas
        seeds = race(self.folder, self.experiment) if adaptive else None
        how = {
            "search_alg": recorder.searcher,
            "num_samples": self.experiment.trials - len(recorder.records),
            "max_concurrent_trials": _WAIT,
        }
        try:
            self._fit(recorder, resources, trainable(self.there, ranks, seeds), how)
        finally:
            for actor in filter(None, (ranks, seeds)):
                ray.kill(actor)  # Ray Tune keeps the trainable, and with it the handle, as long as Ray runs

    def _fit(
        self,
        recorder: Recorder,
        resources: PlacementGroupFactory,
        run: Callable[[dict[str, Any]], None],
        how: dict[str, Any],
        space: dict[str, Any] | None = None,
    ) -> None:
        tuner = make_tuner(
            tune.with_resources(run, resources),
            param_space=space,
            tune_config=tune.TuneConfig(
                **how,
                reuse_actors=True,
                trial_name_creator=_name,
                trial_dirname_creator=_name,
            ),
            run_config=tune.RunConfig(
                name="ray",
                **places(self.folder),
                verbose=0,
                callbacks=[recorder],
                failure_config=tune.FailureConfig(max_failures=FAILURES),
            ),
        )
        try:
            with patched():
                tuner.fit()
        except Stop:
            return

    def _confirm(self, study: optuna.Study, records: list[TrialRecord]) -> None:
        runs = missing(self.folder, self.experiment, records)
        known = {record.number: record for record in records}
        chosen: dict[int | None, dict[str, Any]] = {None: {}}  # the default settings: nothing is searched
        for number in {number for number, _ in runs if number is not None}:
            chosen[number] = scheduled(trained(self.space, study, known[number]), known[number].schedule)
        updates = (self.experiment.confirm and self.experiment.confirm.updates) or self.experiment.training.updates
        patience = self.silence.whole(slowest(records) * updates)
        confirm(self.folder, self.there, runs, chosen, self.slots, patience, self.listeners, self.interrupts)

    def _check_interrupt(self) -> None:
        if self.interrupts.requested:
            raise Interrupted(self.folder.path)


def _study(folder: Folder, experiment: Experiment, records: list[TrialRecord]) -> optuna.Study:
    """The folder's study, in which no trial runs, with what its journal has lost of the trials that ended."""
    study = open_study(folder, experiment)
    mend(study, records, SearchSpace(Experiment.load(folder.experiment)))  # in the space that the trials were in
    settle(study, folder, experiment.objective)
    return study


def slowest(records: Iterable[TrialRecord]) -> float:
    """Seconds that an update took in the slowest trial; in none that failed, whose time may be that of a hang."""
    ran = [record for record in records if record.updates and record.status != "failed"]
    return max((record.train_seconds / record.updates for record in ran), default=0.0)


def _ended(folder: Folder, records: list[TrialRecord], before: int) -> Swept:
    """The sweep's result. Raises SweepFailed where every trial failed."""
    records = sorted(records, key=lambda record: record.number)
    if records and all(record.status == "failed" for record in records):
        raise SweepFailed(folder.path, _all_failed(folder, [record.error for record in records]))
    return Swept(folder, records, len(records) - before)


def _all_failed(folder: Folder, errors: list[str]) -> str:
    """The first error, how many trials ended by it, and where the others are."""
    last = [error_line(error) for error in errors]
    where = shlex.quote(str(as_typed(folder.path)))
    return (
        f"every trial failed, {last.count(last[0])} of {len(last)} by: {last[0]}\n"
        f"the first one:\n{errors[0].strip()}\n"
        f"all of them are in {where}; see them with: gansearch report {where}"
    )


def _name(trial: tune.experiment.Trial) -> str:
    return f"{trial.config['number']:05d}"
