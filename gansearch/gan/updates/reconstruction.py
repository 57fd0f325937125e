"""The reconstruction beside the adversarial loss: how far G's samples are from the targets of their inputs."""

from __future__ import annotations

import torch
from torch import Tensor

from gansearch.experiment import Training
from gansearch.gan.conditions import is_paired
from gansearch.gan.data import Data
from gansearch.gan.task import Task, TaskError


def reconstruction(task: Task, kind: str, fake: Tensor, target: Tensor, batch_axis: int = 0) -> Tensor:
    """The mean difference of (B, ...) samples from their targets, (), or (R,) with a leading axis R of both.

    Of `kind` l1 it is absolute (pix2pix, Isola et al. 2017, equation 3), of l2 squared, and of `embedding` the absolute
    one of what the task's `embedding` makes of both (of log-mel spectra HiFi-GAN's, Kong et al. 2020, equation 5).
    """
    if kind == "embedding":
        rows = fake.shape[: batch_axis + 1]
        fake, target = (task.embedding(part.flatten(0, batch_axis)).unflatten(0, rows) for part in (fake, target))
    difference = fake - target
    return (difference.square() if kind == "l2" else difference.abs()).flatten(batch_axis).mean(-1)


def refuse_reconstruction(task: Task, training: Training, data: Data) -> None:
    """Raises TaskError where a task has no pairs, or `embedding` passes no gradient on."""
    kind, name = training.reconstruction, type(task).__name__
    if kind == "none":
        return
    if not is_paired(task):
        raise TaskError(f"training.reconstruction: {kind} is for pairs, and {name} has no pairs(); leave it out")
    samples = data.held_out[:2].clone().requires_grad_()
    if kind == "embedding" and not reconstruction(task, kind, samples, samples.detach()).requires_grad:
        raise TaskError(f"training.reconstruction: embedding() of {name} passes no gradient on; use l1 or l2")


def held_out_error(task: Task, kind: str, fake: Tensor, target: Tensor) -> Tensor:
    """The reconstruction of (M, ...) samples of held-out inputs: of `kind`, or l1 where there is none in the loss."""
    with torch.no_grad():
        return reconstruction(task, "l1" if kind == "none" else kind, fake, target)
