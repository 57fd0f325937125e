"""The best candidates and the default settings, trained on fresh seeds: no trials, no rows, no entries of the study."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import ray
from ray.exceptions import RayError
from ray.remote_function import RemoteFunction
from ray.util.placement_group import PlacementGroup
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from gansearch.experiment import Experiment
from gansearch.formatting import duration
from gansearch.interrupts import Interrupts
from gansearch.search.callbacks.listener import Listener
from gansearch.search.cluster.ray_patches import remove_groups
from gansearch.search.slots import Slots
from gansearch.search.worker.distributed import WorkerDied, placement, why
from gansearch.search.worker.samples import few, to_show
from gansearch.search.worker.trial import training_of
from gansearch.stability.result import SeedResult
from gansearch.store.confirmation import (
    FreshSeed,
    read_confirmation,
    read_default,
    write_confirmation,
    write_default,
)
from gansearch.store.folder import Folder, write_array, write_whole
from gansearch.store.nan_json import to_json
from gansearch.store.record import TrialRecord
from gansearch.study.analysis.choose import candidates
from gansearch.study.analysis.seeds import with_default

FIRST_SEED = 10_000
"""Added to the experiment's seed: no trial has used these."""

Run = tuple[int | None, int]
"""The number of a trial, or None for the default settings, and a seed."""
Left = tuple[SeedResult, np.ndarray | None, dict[str, Any]]
"""What a run left: its result, a few of its samples, and how they are shown."""


def missing(folder: Folder, experiment: Experiment, records: Sequence[TrialRecord]) -> list[Run]:
    """The runs that a sweep with these records has yet to do, candidate by candidate, then the default settings."""
    if experiment.confirm is None or not records:
        return []
    budget = experiment.confirm.updates
    done = {
        (entry.number, entry.seed)
        for entry in [*read_confirmation(folder), *read_default(folder)]
        if entry.budget == budget  # one that was changed since then confirms nothing
    }
    trials = pd.DataFrame([record.row for record in records])
    numbers = with_default(experiment, trials, candidates(trials, experiment.confirm.top))
    return [(number, seed) for number in numbers for seed in _seeds(experiment) if (number, seed) not in done]


def confirm(
    folder: Folder,
    experiment: Experiment,
    runs: Sequence[Run],
    params: Mapping[int | None, Mapping[str, Any]],
    slots: Slots,
    patience: float,
    listeners: Listener,
    interrupts: Interrupts,
) -> None:
    """Trains the runs, as many at a time as there are slots; `params` are those of each configuration.

    Returns early once interrupted. A run that has not ended `patience` seconds after it began is ended, the first
    time to be tried again: it tells nothing before its end.

    Each result is in confirmation.json or default.json before the next is waited for: a resumed sweep goes on from
    there.
    """
    budget = experiment.confirm.updates if experiment.confirm else None
    longer = {"updates": budget} if budget else {}
    waiting, running = list(runs), dict[ray.ObjectRef, _Begun]()
    again = set[Run]()
    while waiting or running:
        slots.look()
        while waiting and len(running) < slots.now:
            number, seed = run = waiting.pop(0)
            place = placement(experiment.resources, slots.bundle).to_placement_group()
            train = _train_in(place, slots.bundle)
            given = experiment, {**params[number], **longer}, seed, slots.bundle
            running[train.remote(*given)] = _Begun(run, place)
            if run not in again:
                listeners.confirming(number, seed, None)
        done, _ = ray.wait(list(running), timeout=0.2)
        if interrupts.requested:
            for reference in running.keys() - set(done):
                ray.cancel(reference, force=True)
            remove_groups(begun.place for begun in running.values())
            return
        late = [reference for reference, begun in running.items() if reference not in done and begun.is_late(patience)]
        for reference in [*done, *late]:
            begun = running.pop(reference)
            number, seed = begun.run
            result, samples, shown = _result(reference, seed) if reference in done else _stalled(seed, patience)
            # This ends what is late. Cancelling a task that has just ended would end this process (Ray 2.60).
            remove_groups([begun.place])
            if reference in late and begun.run not in again:
                again.add(begun.run)
                waiting.append(begun.run)
                continue
            if samples is not None and seed == experiment.seed + FIRST_SEED:
                folder.record(number).mkdir(parents=True, exist_ok=True)
                write_whole(folder.record(number) / "confirmed.json", to_json(shown))
                write_array(folder.record(number) / "confirmed.npy", samples)
            _record(folder, experiment, FreshSeed(**asdict(result), number=number, budget=budget))
            listeners.confirming(number, seed, result)


def _record(folder: Folder, experiment: Experiment, entry: FreshSeed) -> None:
    """Adds a run's result to those before it."""
    if entry.number is None:
        # What others have left there, on other seeds or with another budget, is no pair to the candidates' runs.
        fresh = [seed for seed in _seeds(experiment) if seed != entry.seed]
        kept = [other for other in read_default(folder) if other.seed in fresh and other.budget == entry.budget]
        write_default(folder, [*kept, entry])
        return
    others = [e for e in read_confirmation(folder) if (e.number, e.seed) != (entry.number, entry.seed)]
    write_confirmation(folder, [*others, entry])


def _seeds(experiment: Experiment) -> list[int]:
    """The fresh seeds, the same for every configuration."""
    assert experiment.confirm is not None
    return [experiment.seed + FIRST_SEED + i for i in range(experiment.confirm.replicas)]


@dataclass
class _Begun:
    """A run, with the room that is reserved for it."""

    run: Run
    place: PlacementGroup
    since: float = math.inf
    """When it got that room."""

    def is_late(self, patience: float) -> bool:
        if math.isinf(self.since) and self.place.wait(0):
            self.since = time.monotonic()
        return time.monotonic() - self.since > patience


def _result(reference: ray.ObjectRef, seed: int) -> Left:
    try:
        left: Left = ray.get(reference)
    except RayError as error:
        return _failed(seed, f"the worker died: {error}"), None, {}
    return left


def _stalled(seed: int, patience: float) -> Left:
    return _failed(seed, f"it had not ended after {duration(patience)} (limits.stalled_minutes), twice"), None, {}


def _train_in(place: PlacementGroup, bundle: Mapping[str, float]) -> RemoteFunction:
    """`_train` on the first of a run's workers."""
    return ray.remote(_train).options(
        num_cpus=bundle["CPU"],
        num_gpus=bundle.get("GPU", 0),
        retry_exceptions=[WorkerDied],
        scheduling_strategy=PlacementGroupSchedulingStrategy(place, placement_group_bundle_index=0),
    )


def _train(experiment: Experiment, params: Mapping[str, Any], seed: int, bundle: Mapping[str, float]) -> Left:
    """What a Ray worker runs: one seed to the end of its budget, a few of its samples, and how they are shown."""
    try:
        with training_of(experiment, params, seed, bundle["CPU"], bundle.get("GPU", 0), prune=False) as trainer:
            for _ in trainer.run():
                pass
            result = trainer.result()
        samples = few(experiment, result.samples)
    except WorkerDied:
        raise  # Ray tries again, as after the end of this worker
    except (Exception, SystemExit) as error:  # noqa: BLE001 (the user's code may raise anything)
        return _failed(seed, why(error)), None, {}
    return result.without_samples(), samples, to_show(experiment, samples).get("shown", {})


def _failed(seed: int, error: str) -> SeedResult:
    """The result of a seed that left none; the worst verdict stands for it."""
    return SeedResult(
        seed=seed,
        status="failed",
        error=error,
        verdict="diverged",
        sentence="The run raised.",
        stability=math.nan,
        distance=math.nan,
        train_seconds=0.0,
    )
