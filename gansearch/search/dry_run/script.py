"""The dry run of a user's script: it is run for a few rows under two seeds, and what was read of it is said."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np

from gansearch.experiment import Experiment, Training
from gansearch.formatting import many
from gansearch.gan import TaskError
from gansearch.scripts.errors import ScriptFailed
from gansearch.scripts.run.reading import Look
from gansearch.scripts.run.trainer import ScriptTrainer
from gansearch.scripts.task import Script, seed_trainer
from gansearch.search.dry_run.cost import Cost
from gansearch.search.dry_run.estimate import Measured
from gansearch.stability.window import Window

ROWS = 4
"""That are read of each seed."""
SECONDS = 20.0
"""After which fewer have to do."""
PATIENCE_SECONDS = 120.0
"""For the first."""


def try_script(experiment: Experiment, script: Script, training: Training, uses_gpus: bool) -> Measured:
    """Return what a trial of this configuration takes, but for its memory.

    Raises TaskError where the script fails, or gives the same numbers whatever its seed though several are trained.
    """
    first, second = (_tried(script, training, experiment.seed + n, uses_gpus) for n in range(2))
    same = _same(first.look, second.look)
    if same and (experiment.most_replicas > 1 or experiment.confirm):
        wanted = "replicas: 1 and confirm: null" if experiment.most_replicas > 1 else "confirm: null"
        raise TaskError(
            f"{script.name} gives the same {many(same, 'row')} under two seeds, so that further seeds say nothing: "
            f'give it {{seed}}, as by task.edits: {{"{script.name}: seed": "{{seed}}"}}, or write {wanted}'
        )
    unit = first.pace or first.seconds / (first.look.time or training.updates)
    seed, budget = unit * training.updates, (experiment.confirm and experiment.confirm.updates) or training.updates
    cost = Cost(unit, unit, seed * experiment.least_replicas, seed, unit * budget)
    return Measured(costs=(cost,), tried=tuple(_said(script, first)), remarks=tuple(_remarks(script, first)))


def _tried(script: Script, training: Training, seed: int, uses_gpus: bool) -> ScriptTrainer:
    """Return the trainer of a seed that was run for some rows. Raises TaskError where the script fails before."""
    trainer = cast(ScriptTrainer, seed_trainer(script, training, seed, uses_gpus=uses_gpus))
    begun, running = time.monotonic(), trainer.run(most_seconds=PATIENCE_SECONDS, at_least=1e-9)
    try:
        for _ in running:
            rows, late = _rows(trainer.look), time.monotonic() - begun > SECONDS
            if rows and (late or (rows >= ROWS and trainer.pace)):
                break
    except ScriptFailed as error:
        raise TaskError(str(error)) from None
    finally:
        running.close()
    return trainer


def _rows(look: Look) -> int:
    if look.monitors:
        return max(map(len, look.monitors.values()))
    return look.log.records if look.log else len(look.distances)


def _same(one: Look, other: Look) -> int:
    """Return how many rows of two looks are equal in all their numbers; 0 where any differs, or there are too few."""
    pairs = []
    if one.log and other.log and one.game and other.game:
        roles = one.game.values.keys() & other.game.values.keys()
        pairs = [(one.game.values[role], other.game.values[role]) for role in sorted(roles) if role[:2] != "lr"]
    elif one.monitors and other.monitors:
        names = one.monitors.keys() & other.monitors.keys()
        pairs = [(_numbers(one.monitors[name]), _numbers(other.monitors[name])) for name in sorted(names)]
    else:
        pairs = [(np.array(one.distances), np.array(other.distances))]
    rows = min((min(len(a), len(b)) for a, b in pairs), default=0)
    equal = all(np.array_equal(a[:rows], b[:rows], equal_nan=True) for a, b in pairs)
    return rows if equal and rows > 1 else 0


def _numbers(windows: Sequence[Window]) -> np.ndarray:
    """Return what a monitor's probes measured, (N, 13)."""
    return np.array([dataclasses.astuple(one)[1:14] for one in windows])


def _said(script: Script, trainer: ScriptTrainer) -> Iterator[str]:
    """Yield what was read, and as what."""
    look = trainer.look
    rows, seconds = _rows(look), f"{trainer.seconds:.0f} s"
    if not rows:
        yield f"script: {script.name} wrote no number in {seconds}"
        return
    if look.monitors:
        yield f"script: {many(rows, 'probe')} of {', '.join(look.monitors)} in {seconds}: its verdicts are full ones"
    elif look.log:
        unit = "epochs" if look.log.epochs is not None or look.log.step_name == "epoch" else f"{look.log.step_name}s"
        unit = "rows" if unit == "lines" else unit
        yield f"script: {many(rows, 'row')} of {look.name} in {seconds}, read as {look.log.format}; time is in {unit}"
        yield from (f"  {line}" for line in look.described)
    if look.distances:
        yield f"  distance: {look.distances[-1]:.4g}"


def _remarks(script: Script, trainer: ScriptTrainer) -> Iterator[str]:
    """Yield what a sweep will lack."""
    look, wanted = trainer.look, script.task.distance
    if not _rows(look):
        yield (
            f"{script.name} has written no number in {PATIENCE_SECONDS:g} s: until it does, no trial can be stopped "
            "early, and its verdict is unknown"
        )
    if wanted is None:
        yield "task.distance is not given: trials are compared by D's numbers alone, and none is called the best"
    elif isinstance(wanted, str) and not look.distances:
        yield trainer.remark() or f"task.distance: {wanted} has not been read yet"
    elif look.game and wanted in look.game.columns.get("reconstruction", "").split(" + "):
        yield (
            f"task.distance: {wanted} is one of G's own losses, of samples that it trains on: it compares trials only "
            "while its weight is not searched"
        )
