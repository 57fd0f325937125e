"""The dry run of a user's training loop: it is called for a few reports, and then abandoned."""

from __future__ import annotations

import time
from collections.abc import Iterable

import torch

from gansearch.experiment import Experiment, LoopTraining, Training
from gansearch.gan import Loop, LoopTrainer, TaskError
from gansearch.search.dry_run.cost import Cost
from gansearch.search.dry_run.estimate import Measured

REPORTS = 4
SECONDS = 10.0
"""After which fewer reports have to do."""
PATIENCE_SECONDS = 120.0
"""For a report."""


def try_loop(experiment: Experiment, loop: Loop, training: Training, device: torch.device) -> Measured:
    """Return what a trial of this configuration takes, but for its memory.

    Raises what the loop raises, and TaskError where it reports too little to be judged.
    """
    assert isinstance(training, LoopTraining)
    trainer = LoopTrainer(loop, training, experiment.seed, device)
    start, reports = time.monotonic(), list[tuple[float, float]]()
    try:
        for probe in (running := trainer.run(PATIENCE_SECONDS)):
            reports.append((probe.update, trainer.seconds))
            if len(reports) == REPORTS or (probe.update > 0 and time.monotonic() - start > SECONDS):
                break
        running.close()
    except TimeoutError:
        raise TaskError(
            f"{loop.name}(trial) reported nothing for {PATIENCE_SECONDS:g} s; "
            "call trial.report(...) about 50 times a run"
        ) from None
    if not trainer.trial.used_monitors:
        raise TaskError(
            f"{loop.name}(trial) reported without a call of trial.monitor.update(real, fake) with D's scores before: "
            "there is nothing to judge it by"
        )
    # Before its first report a loop loads its data.
    (first, begun), (last, ended) = (reports[0], reports[-1]) if len(reports) > 1 else ((0, 0.0), reports[0])
    if last <= first:
        raise TaskError(
            f"{loop.name}(trial) reported nothing after step {last:,}; call trial.report(step=...) with the steps that "
            "are done, about 50 times a run"
        )
    update = (ended - begun) / (last - first)
    seed, budget = update * training.updates, (experiment.confirm and experiment.confirm.updates) or training.updates
    steps = ", ".join(f"{step:,}" for step, _ in reports)
    return Measured(
        costs=(Cost(update, update, seed * experiment.least_replicas, seed, update * budget),),
        tried=(f"loop: tried up to update {last:,}, with reports at {steps}",),
        remarks=tuple(_remarks(trainer, len(reports), experiment.search)),
    )


def _remarks(trainer: LoopTrainer, reports: int, searched: Iterable[str]) -> list[str]:
    """Return what a sweep will lack."""
    name, trial = trainer.task.name, trainer.trial
    remarks = [remark] if (remark := trainer.remark()) else []
    if unread := trainer.unread(searched):
        remarks.append(
            f"{name}(trial) has not read {', '.join(unread)} from trial.params, which the search is about: "
            'trial.params["NAME"] is its value'
        )
    if reports > 1 and not trial.asked:
        remarks.append(f"{name}(trial) never asks trial.should_stop(): a trial that is pruned will run to its end")
    if trial.distance != trial.distance and not trial.invalid:
        remarks.append(
            f"{name}(trial) reports no distance=, and no real= and fake= samples to measure one of: "
            "trials are compared by their stability alone"
        )
    if reports > 1 and trial.updates / max(1, trial.step / reports) < 10:
        remarks.append(
            f"at this pace a run of {trial.updates} updates (training.updates) has fewer than 10 reports; "
            "report more often, or its verdict rests on little"
        )
    return remarks
