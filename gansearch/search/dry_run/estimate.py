"""What a sweep will take, computed from what a dry run measured, and how that is said."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple, dataclass, field, replace
from statistics import fmean
from typing import Any, NamedTuple

from gansearch.experiment import Experiment
from gansearch.formatting import duration, gpu_hours, size
from gansearch.search.cluster.cluster import Cluster
from gansearch.search.dry_run.cost import Cost, EvaluationCost
from gansearch.search.dry_run.fill import MOST_ON_A_GPU, Fill, fitting, share
from gansearch.search.dry_run.stack import Stack
from gansearch.study.analysis.race import rules_for

MOSTLY = 0.5
"""Share of a trial's time above which its evaluation is worth a warning."""
BUSY = 0.2
"""Share of the time without a CPU above which a machine is busy with something else."""


class Span(NamedTuple):
    """Seconds with the least seeds of a trial and with the most."""

    least: float
    most: float

    def __str__(self) -> str:
        """Return one time, or both where they differ."""
        least, most = map(brief, self)
        return least if least == most else f"{least} to {most}"


_USUAL = 100
"""Trials that are taken for those of `trials: auto`."""


@dataclass(frozen=True)
class Measured:
    """What a dry run measured."""

    costs: tuple[Cost, ...]
    """Of configurations drawn at random."""
    device: str = ""
    evaluation: EvaluationCost = field(default_factory=EvaluationCost)
    data: Mapping[str, Any] | None = None
    """`train` (None for data without end) and `held_out` samples, and the `shape` of one. None for a user's loop."""
    weights: Mapping[str, int] | None = None
    """Trained numbers of the `generator` and the `discriminator`."""
    tried: tuple[str, ...] = ()
    """What was tried, in lines for people."""
    idle: float = 0.0
    """Share of the timed training in which this process got no CPU, on a CPU."""
    memory: int = 0
    """Most bytes of main memory that the worker took."""
    gpu_memory: int = 0
    """Most bytes of the GPU that the worker took, with its context; 0 on a CPU."""
    gpu_total: int = 0
    """Bytes of the GPU; 0 on a CPU."""
    remarks: tuple[str, ...] = ()
    """What the task says of its data and the trainer of its updates, or what a sweep of the loop will lack."""

    def mean(self, part: str) -> float:
        """Return the mean of a part of the costs over the configurations, in seconds."""
        return fmean(getattr(cost, part) for cost in self.costs)

    def slower(self, factor: float) -> Measured:
        """Return the same with costs that are so many times as large: of trials that share a GPU."""
        return replace(self, costs=tuple(cost.slower(factor) for cost in self.costs))


@dataclass(frozen=True)
class Estimate:
    """What an experiment takes on a cluster, which may be this machine."""

    experiment: Experiment
    cluster: Cluster
    measured: Measured
    fill: Fill | None = None
    """How the share in the experiment's `resources.gpus` was found; None where it was given."""
    stack: Stack | None = None
    """How many trials share a process, whose parts are in `resources`; None where each has its own."""

    @property
    def gpu_hours(self) -> float | None:
        """Expected GPUs times hours of trials with their least seeds and of the confirmation; None without a GPU."""
        gpus = self.cluster.gpus_of_trial(self.experiment.resources)
        runs = self.confirmation_runs * self.measured.mean("confirmation")
        return gpus * (self.trials * self.measured.mean("trial") + runs) / 3600 if gpus else None

    @property
    def slots(self) -> int:
        """Trials that run at once."""
        slots = self.cluster.slots(self.experiment.resources)
        return min(slots, self.experiment.limits.concurrent or slots)

    @property
    def trial_seconds(self) -> Span:
        """Expected seconds of a trial."""
        more = self.experiment.most_replicas - self.experiment.least_replicas
        trial = self.measured.mean("trial")
        return Span(trial, trial + more * self.measured.mean("seed"))

    @property
    def trials(self) -> int:
        """Trials that start before a limit is reached; with `trials: auto` a usual number of them."""
        limits, experiment = self.experiment.limits, self.experiment
        trials = _USUAL if experiment.trials == "auto" else experiment.trials
        if limits.hours:
            trials = min(trials, self.slots * math.ceil(limits.hours * 3600 / self.measured.mean("trial")))
        if limits.updates:
            trials = min(trials, math.ceil(limits.updates / (experiment.training.updates * experiment.least_replicas)))
        if limits.total_hours:
            trials = max(1, bisect_right(range(1, trials + 1), limits.total_hours * 3600, key=self._raced_by))
        return trials

    @property
    def confirmation_runs(self) -> int:
        """Usual maximum of the confirmation's runs; a race may end early."""
        return rules_for(self.experiment, self.trials).most if self.experiment.confirm else 0

    @property
    def sweep_seconds(self) -> Span:
        """Expected seconds from the first trial to the last run of the confirmation, without pruning."""
        # Runs come in waves of as many as there are slots.
        trials, runs = map(self._waves, (self.trials, self.confirmation_runs))
        most, fresh = (self.experiment.limits.total_hours or math.inf) * 3600, runs * self.measured.mean("confirmation")
        return Span(*(min(most, trials * seconds + fresh) for seconds in self.trial_seconds))

    @property
    def trials_on_a_gpu(self) -> int:
        """Trials that fit a GPU's memory and the CPUs beside it; 0 on a CPU, or where not even one fits."""
        nodes = [node for node in self.cluster.nodes if node.get("GPU")]
        cpus = max((node.get("CPU", 0.0) / node["GPU"] for node in nodes), default=0.0)
        by_memory = fitting(self.measured.gpu_memory, self.measured.gpu_total)
        return min(by_memory, int(cpus / self.experiment.resources.cpus + 1e-9), MOST_ON_A_GPU)

    @property
    def at_once(self) -> float:
        """Share of configurations whose seeds are trained at once; 0 where a trial has one."""
        several = self.experiment.least_replicas > 1
        return fmean(not cost.in_turn for cost in self.measured.costs) if several else 0.0

    @property
    def in_turn(self) -> str:
        """Why the seeds of the others take turns; empty if none do."""
        return next((cost.in_turn for cost in self.measured.costs if cost.in_turn), "")

    @property
    def warnings(self) -> list[str]:
        """What will go wrong, or takes most of the time, each with what to write."""
        measured, warnings = self.measured, [*self._main_memory(), *self._gpu_memory()]
        evaluation = measured.mean("evaluation") / measured.mean("trial")
        if evaluation > MOSTLY:
            warnings.append(
                f"{evaluation:.0%} of a trial's time goes into probes, the quality measure and the referee; "
                "more training.updates, or a faster quality(), would leave more of it to training"
            )
        if measured.idle > BUSY:
            warnings.append(
                f"the machine is busy with something else: {measured.idle:.0%} of the time went by without a CPU, "
                "and an idle one would be faster"
            )
        return [*warnings, *measured.remarks]

    def summary(self) -> dict[str, Any]:
        """Return what `gansearch check --json` prints: sizes in bytes, times in seconds.

        `data` and `weights` of a user's loop are null. `trial_seconds` has `least` and `most` seeds and the `longest`
        configuration; `gpu` is null on a CPU, and its `share` what to write as resources.gpus; `trials` are those
        within the limits; `sweep_seconds` and `gpu_hours`, null without a GPU, are without pruning. `fill` is null
        unless `resources.gpus` is, and `stack` where `resources.stack` is 1.
        """
        measured, fit = self.measured, self.trials_on_a_gpu
        gpu = {"memory": measured.gpu_memory, "total": measured.gpu_total, "trials": fit, "share": share(fit)}
        updates = {name: measured.mean(name) for name in ("update_d", "update_g")}
        return {
            "task": self.experiment.task_name,
            "data": measured.data,
            "weights": measured.weights,
            "device": measured.device,
            "seconds": {**updates, **asdict(measured.evaluation)},
            "trial_seconds": {**self.trial_seconds._asdict(), "longest": max(cost.trial for cost in measured.costs)},
            "at_once": self.at_once,
            "in_turn": self.in_turn,
            "memory": measured.memory,
            "gpu": gpu if measured.gpu_total else None,
            "fill": self.fill and self.fill.as_dict(),
            "stack": self.stack and self.stack.as_dict(),
            "cluster": str(self.cluster),
            "slots": self.slots,
            "trials": self.trials,
            "confirmation_runs": self.confirmation_runs,
            "sweep_seconds": self.sweep_seconds._asdict(),
            "gpu_hours": self.gpu_hours,
            "warnings": self.warnings,
        }

    def lines(self) -> list[str]:
        """Return the same for people."""
        measured, experiment = self.measured, self.experiment
        trial, longest = self.trial_seconds, brief(max(cost.trial for cost in measured.costs))
        dearest = f", with the dearest configuration {longest}" if longest != brief(trial.least) else ""
        lines = [
            *measured.tried,
            f"speed: {self._speed()} ({measured.device})",
            f"trial{self._seeds()}: about {trial}{dearest}"
            + (f"; {size(measured.memory)} of memory" * bool(measured.memory)),
        ]
        if self.fill:
            lines.append(f"GPU: {self.fill}")
        elif measured.gpu_total and not self.stack:
            fit = self.trials_on_a_gpu
            advice = f"; to share it, write resources: {{gpus: {share(fit):g}}}" if fit > 1 else ""
            lines.append(
                f"GPU: {size(measured.gpu_memory)} of {size(measured.gpu_total)} a trial, so {fit} fit on one{advice}"
            )
        if experiment.trials == "auto":
            trials = f"as many trials as are worth it, with {self.trials} of them"
        else:
            limited = self.trials < experiment.trials
            trials = f"{self.trials} of {experiment.trials} trials (the limits)" if limited else f"{self.trials} trials"
        cost = "" if self.gpu_hours is None else f" and {gpu_hours(self.gpu_hours)}"
        runs = f" and about {self.confirmation_runs} runs of the confirmation" if self.confirmation_runs else ""
        return [
            *lines,
            f"slots: {self.slots} ({self.cluster})",
            f"sweep: {trials}{runs}, about {self.sweep_seconds}{cost} without pruning",
        ]

    def _waves(self, count: float) -> int:
        return math.ceil(count / self.slots)

    def _raced_by(self, trials: int) -> float:
        """Return when so many trials and their race, without the winner's other seeds, have ended."""
        race = self._waves(math.ceil(rules_for(self.experiment, trials).runs)) if self.experiment.confirm else 0
        return self._waves(trials) * self.measured.mean("trial") + race * self.measured.mean("confirmation")

    def _speed(self) -> str:
        d, g = brief(self.measured.mean("update_d")), brief(self.measured.mean("update_g"))
        if self.experiment.is_loop:
            return f"{d} an update"
        probe, quality, referee = map(brief, astuple(self.measured.evaluation))
        return f"{d} an update of D, {g} of G; {probe} a probe, {quality} the quality, {referee} the referee"

    def _seeds(self) -> str:
        least, most = self.experiment.least_replicas, self.experiment.most_replicas
        if most == 1:
            return ""
        some = f"{1 - self.at_once:.0%} of configurations " if self.at_once else ""
        how = f", {some}in turn ({self.in_turn})" if self.in_turn else ", at once" if least > 1 else ""
        return f" of {least if least == most else f'{least} to {most}'} seeds{how}"

    def _main_memory(self) -> Iterator[str]:
        needed, resources = self.measured.memory, self.experiment.resources
        kind = "trials" if resources.processes == 1 else "workers of trials"
        for node, workers in zip(self.cluster.nodes, self.cluster.workers_of_nodes(resources), strict=True):
            running, free = min(workers, self.slots * resources.processes), node.get("memory", math.inf)
            rows = self.stack.at_once if self.stack else 1  # in the memory of one
            if math.ceil(running / rows) * needed > free:
                fewer = max(1, rows * int(free / needed) // resources.processes)
                yield (
                    f"{running} {kind} of {size(needed)} need more than the {size(free)} of memory that are free; "
                    f"write limits: {{concurrent: {fewer}}}"
                )
                return

    def _gpu_memory(self) -> Iterator[str]:
        measured, gpus = self.measured, self.cluster.gpus_of_trial(self.experiment.resources)
        trials, fit = int(1 / gpus + 1e-9) if gpus else 0, fitting(measured.gpu_memory, measured.gpu_total)
        if measured.gpu_total and trials > fit and not self.stack:
            remedy = f"write gpus: {share(fit):g}" if fit else "make training.batch_size or the networks smaller"
            yield f"resources.gpus: {gpus:g} puts {trials} trials on a GPU whose memory holds {fit}; {remedy}"


def brief(seconds: float) -> str:
    """Return a time in words, with milliseconds below a second."""
    return f"{seconds * 1e3:.3g} ms" if seconds < 0.9995 else duration(seconds)
