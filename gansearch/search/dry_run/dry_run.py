"""The dry run of `gansearch check`: an experiment is tried out for a few seconds, before a sweep of hours."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from gansearch.experiment import Experiment
from gansearch.search.check import check_search
from gansearch.search.cluster.cluster import cluster, this_machine
from gansearch.search.cluster.runtime_env import Code, code_for
from gansearch.search.dry_run.bursts import measure_fill
from gansearch.search.dry_run.estimate import Estimate
from gansearch.search.dry_run.fill import NO_GPU, share
from gansearch.search.dry_run.measuring import WORKER_SECONDS, in_worker, measure
from gansearch.search.dry_run.stack import Stack, row_of
from gansearch.search.dry_run.stacking import measured_stack


def dry_run(experiment: Experiment, address: str | None = None) -> Estimate:
    """Train for about a second on what a trial would get, and estimate what the sweep takes; start no trial.

    It runs in this process, without Ray, or in a worker of the cluster at `address`. Where a trial has several workers,
    one of them is tried with the whole batch: it takes as much time and memory as a trial at most, but for what the
    workers send each other.

    Raises:
        ExperimentError: The search space, the sampler or a tracker is wrong.
        TaskError: The task cannot be loaded or trained.
        SweepError: A trial fits on no node, or the cluster does not answer.
    """
    check_search(experiment)
    code = code_for(experiment) if address else Code(experiment)
    with cluster(address, code.runtime_env) if address else nullcontext(this_machine()) as nodes:
        nodes.slots(experiment.resources)
        gpus, fills = nodes.bundle(experiment.resources).get("GPU", 0.0), experiment.resources.gpus == "fill"
        # First of all: this process keeps its part of a GPU.
        fill = measure_fill(code.experiment, nodes, bool(address)) if fills else None
        given = (code.experiment, gpus)
        measured = (
            in_worker(code.experiment, {"GPU": gpus}, WORKER_SECONDS, measure, *given) if address else measure(*given)
        )
        stack: Stack | None = None
        if experiment.resources.stack != 1:
            stack = measured_stack(code.experiment, nodes, bool(address))
            parts = row_of(nodes.bundle(experiment.resources), stack.at_once)
            shared = experiment.resources.model_copy(update={"cpus": parts["CPU"], "gpus": parts.get("GPU", 0.0)})
            experiment = experiment.model_copy(update={"resources": shared})
            measured = replace(measured.slower(stack.slowdown), tried=(*measured.tried, f"stack: {stack}"))
        if fills and not gpus:
            measured = replace(measured, tried=(*measured.tried, NO_GPU))
        if fill:
            shared = experiment.resources.model_copy(update={"gpus": share(fill.at_once)})
            experiment, measured = experiment.model_copy(update={"resources": shared}), measured.slower(fill.slowdown)
        return Estimate(experiment, nodes, measured, fill, stack)
