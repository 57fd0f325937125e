"""What a sweep will take, from what a dry run measured: arithmetic on numbers, and its words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from gansearch.experiment import Experiment
from gansearch.search.cluster.cluster import Cluster

GPU_MARGIN = 0.1
"""Share of a GPU's memory that is left free: what is allocated falls into pieces, and batches differ."""
MOST_ON_A_GPU = 16
"""Trials that are advised for one GPU, however small they are."""
MOSTLY = 0.5
"""Share of a trial's time above which looking at it is worth a warning."""
BUSY = 0.2
"""Share of the time without a CPU above which a machine is busy with something else."""


@dataclass(frozen=True)
class Measured:
    """What a dry run found out. Seconds are means over configurations drawn at random, unless said otherwise."""

    device: str
    train_samples: int | None
    """None for data without end."""
    held_out: int
    shape: tuple[int, ...]
    generator: int
    """Its weights."""
    discriminator: int
    update_d: float
    """One update, of one seed."""
    update_g: float
    probe: float
    quality: float
    referee: float
    trial: float
    """All of a trial with its least seeds."""
    longest: float
    """The longest of these."""
    seed: float
    """One seed more."""
    confirmation: float
    """One run of the confirmation."""
    looking: float
    """Share of a trial that is probes, quality and referee."""
    at_once: float
    """Share of configurations whose seeds are trained at once; 0 where a trial has one."""
    in_turn: str
    """Why those of others take turns; empty if none do."""
    idle: float
    """Share of the timed training in which this process got no CPU, on a CPU."""
    memory: int
    """Bytes of main memory that the worker took at most."""
    gpu_memory: int = 0
    """Bytes of the GPU that the worker took at most, with its context; 0 on a CPU."""
    gpu_total: int = 0
    """Bytes of the GPU; 0 on a CPU."""
    reports: tuple[int, ...] = ()
    """Of a loop of the user's own, the updates after which it reported; its data and networks are not known."""
    remarks: tuple[str, ...] = ()
    """What the task says of its data, or what will be missed of a loop in a sweep."""


@dataclass(frozen=True)
class Estimate:
    """A dry run's figures for an experiment on a cluster, which may be this machine."""

    experiment: Experiment
    cluster: Cluster
    measured: Measured

    @property
    def slots(self) -> int:
        slots = self.cluster.slots(self.experiment.resources)
        return min(slots, self.experiment.limits.concurrent or slots)

    @property
    def trial_seconds(self) -> tuple[float, float]:
        """Expected of a trial, with its least seeds and with its most."""
        more = self.experiment.most_replicas - self.experiment.least_replicas
        return self.measured.trial, self.measured.trial + more * self.measured.seed

    @property
    def trials(self) -> int:
        """Those that start before a limit is reached."""
        limits, experiment = self.experiment.limits, self.experiment
        trials = experiment.trials
        if limits.hours:
            trials = min(trials, self.slots * math.ceil(limits.hours * 3600 / self.measured.trial))
        if limits.updates:
            trials = min(trials, math.ceil(limits.updates / (experiment.training.updates * experiment.least_replicas)))
        return trials

    @property
    def confirmation_runs(self) -> int:
        """At most: there may be fewer candidates."""
        confirm = self.experiment.confirm
        configurations = min(confirm.top, self.trials) + self.experiment.confirms_default if confirm else 0
        return configurations * confirm.replicas if confirm else 0

    @property
    def sweep_seconds(self) -> tuple[float, float]:
        """Expected with the least seeds and with the most, without pruning, from the first trial to the last run."""
        confirmation = wall_seconds(self.confirmation_runs, self.measured.confirmation, self.slots)
        least, most = (wall_seconds(self.trials, seconds, self.slots) + confirmation for seconds in self.trial_seconds)
        return least, most

    @property
    def trials_on_a_gpu(self) -> int:
        """As far as a GPU's memory and the CPUs beside it go; 0 on a CPU, or where not even one fits."""
        nodes = [node for node in self.cluster.nodes if node.get("GPU")]
        cpus = max((node.get("CPU", 0.0) / node["GPU"] for node in nodes), default=0.0)
        by_memory = fitting(self.measured.gpu_memory, self.measured.gpu_total)
        return min(by_memory, int(cpus / self.experiment.resources.cpus + 1e-9), MOST_ON_A_GPU)

    @property
    def warnings(self) -> list[str]:
        """What will go wrong, or takes most of the time, each with what to write."""
        measured = self.measured
        found = (self._main_memory(), self._gpu_memory(), _looking(measured), _busy(measured), *measured.remarks)
        return [text for text in found if text]

    def summary(self) -> dict[str, Any]:
        """What `gansearch check --json` prints: sizes in bytes, times in seconds.

        A loop of the user's own keeps `data` and `weights` to itself: null. `trial_seconds` has `least` and `most`
        seeds and the `longest` configuration; `gpu` is null on a CPU, and its `share` what to write as resources.gpus;
        `trials` are those within the limits; `sweep_seconds` is without pruning.
        """
        measured = self.measured
        gpu = {
            "memory": measured.gpu_memory,
            "total": measured.gpu_total,
            "trials": self.trials_on_a_gpu,
            "share": share(self.trials_on_a_gpu),
        }
        data = {"train": measured.train_samples, "held_out": measured.held_out, "shape": list(measured.shape)}
        weights = {"generator": measured.generator, "discriminator": measured.discriminator}
        return {
            "task": self.experiment.task,
            "data": None if measured.reports else data,
            "weights": None if measured.reports else weights,
            "device": measured.device,
            "seconds": {name: getattr(measured, name) for name in _PARTS},
            "trial_seconds": {**dict(zip(_BOUNDS, self.trial_seconds, strict=True)), "longest": measured.longest},
            "at_once": measured.at_once,
            "in_turn": measured.in_turn,
            "memory": measured.memory,
            "gpu": gpu if measured.gpu_total else None,
            "cluster": str(self.cluster),
            "slots": self.slots,
            "trials": self.trials,
            "confirmation_runs": self.confirmation_runs,
            "sweep_seconds": dict(zip(_BOUNDS, self.sweep_seconds, strict=True)),
            "warnings": self.warnings,
        }

    def lines(self) -> list[str]:
        """The same for people."""
        measured, experiment = self.measured, self.experiment
        kept = "without end" if measured.train_samples is None else f"{measured.train_samples:,} to train on"
        d, g, probe, quality, referee = (duration(getattr(measured, name)) for name in _PARTS)
        trial, longest = [*map(duration, self.trial_seconds)], duration(measured.longest)
        dearest = f", with the dearest configuration {longest}" if longest != trial[0] else ""
        lines = [
            f"data: {kept}, {measured.held_out:,} held out, of shape {measured.shape}",
            f"generator: {measured.generator:,} parameters; discriminator: {measured.discriminator:,}",
            f"speed: {d} an update of D, {g} of G; {probe} a probe, {quality} the quality, {referee} the referee "
            f"({measured.device})",
        ]
        if measured.reports:
            lines = [
                f"loop: tried up to update {measured.reports[-1]:,}, with reports at {_listed(measured.reports)}",
                f"speed: {d} an update ({measured.device})",
            ]
        lines += [
            f"trial{self._seeds()}: about {_span(*trial)}{dearest}; {size(measured.memory)} of memory",
        ]
        if measured.gpu_total:
            fit = self.trials_on_a_gpu
            advice = f"; to share it, write resources: {{gpus: {share(fit):g}}}" if fit > 1 else ""
            lines.append(
                f"GPU: {size(measured.gpu_memory)} of {size(measured.gpu_total)} a trial, so {fit} fit on one{advice}"
            )
        lines.append(f"slots: {self.slots} ({self.cluster})")
        trials = f"{self.trials} of {experiment.trials} trials (the limits)"
        trials = f"{experiment.trials} trials" if self.trials == experiment.trials else trials
        runs = f" and {self.confirmation_runs} runs of the confirmation" if self.confirmation_runs else ""
        lines.append(f"sweep: {trials}{runs}, about {_span(*map(duration, self.sweep_seconds))} without pruning")
        return lines

    def _seeds(self) -> str:
        least, most, measured = self.experiment.least_replicas, self.experiment.most_replicas, self.measured
        if most == 1:
            return ""
        some = f"{1 - measured.at_once:.0%} of configurations " if measured.at_once else ""
        how = f", {some}in turn ({measured.in_turn})" if measured.in_turn else ", at once" if least > 1 else ""
        return f" of {_span(least, most)} seeds{how}"

    def _main_memory(self) -> str:
        needed, resources = self.measured.memory, self.experiment.resources
        kind = "trials" if resources.processes == 1 else "workers of trials"
        for node, workers in zip(self.cluster.nodes, self.cluster.workers_of_nodes(resources), strict=True):
            here, free = min(workers, self.slots * resources.processes), node.get("memory", math.inf)
            if here * needed > free:
                fewer = max(1, int(free / needed) // resources.processes)
                return (
                    f"{here} {kind} of {size(needed)} need more than the {size(free)} of memory that are free; "
                    f"write limits: {{concurrent: {fewer}}}"
                )
        return ""

    def _gpu_memory(self) -> str:
        measured, gpus = self.measured, self.cluster.gpus_of_trial(self.experiment.resources)
        trials, fit = int(1 / gpus + 1e-9) if gpus else 0, fitting(measured.gpu_memory, measured.gpu_total)
        if not measured.gpu_total or trials <= fit:
            return ""
        remedy = f"write gpus: {share(fit):g}" if fit else "make training.batch_size or the networks smaller"
        return f"resources.gpus: {gpus:g} puts {trials} trials on a GPU whose memory holds {fit}; {remedy}"


_PARTS = ("update_d", "update_g", "probe", "quality", "referee")
_BOUNDS = ("least", "most")


def wall_seconds(runs: int, seconds: float, slots: int) -> float:
    """Time of so many runs of equal length on so many slots."""
    return math.ceil(runs / slots) * seconds


def fitting(memory: int, total: int) -> int:
    """Trials that fit into a GPU's memory, with a margin; 0 without a GPU."""
    return int(total * (1 - GPU_MARGIN) / memory) if total else 0


def share(trials: int) -> float:
    """A GPU's share in three digits of which exactly so many (at most 16) fit; a whole one for 0 as for 1."""
    return math.floor(1000 / trials) / 1000 if trials > 1 else 1.0


def duration(seconds: float) -> str:
    """In two or three digits: 0.45 ms, 12 s, 3.5 min, 2.1 h."""
    for unit, length, most in (("ms", 1e-3, 1), ("s", 1, 120), ("min", 60, 120 * 60)):
        if seconds < most:
            return f"{_digits(seconds / length)} {unit}"
    return f"{_digits(seconds / 3600)} h"


def size(memory: float) -> str:
    """Bytes in MB or GB."""
    return f"{memory / 1e6:.0f} MB" if memory < 1e9 else f"{_digits(memory / 1e9)} GB"


def _looking(measured: Measured) -> str:
    if measured.looking <= MOSTLY:
        return ""
    return (
        f"{measured.looking:.0%} of a trial's time goes into probes, the quality measure and the referee; "
        "more training.updates, or a faster quality(), would leave more of it to training"
    )


def _busy(measured: Measured) -> str:
    if measured.idle <= BUSY:
        return ""
    return (
        f"the machine is busy with something else: {measured.idle:.0%} of the time went by without a CPU, "
        "and an idle one would be faster"
    )


def _digits(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def _listed(steps: tuple[int, ...]) -> str:
    return ", ".join(f"{step:,}" for step in steps)


def _span(low: object, high: object) -> str:
    return f"{low}" if low == high else f"{low} to {high}"
