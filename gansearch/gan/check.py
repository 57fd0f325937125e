"""Checks a task before it is trained: whether its data and networks fit together."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gansearch.gan.data import data_of
from gansearch.gan.loop.task import Loop
from gansearch.gan.networks import discriminator_of
from gansearch.gan.task import Task, TaskError
from gansearch.gan.user_code import user_traceback

_SAMPLES = 4
_RESHAPES = ("View", "UnsafeView", "Reshape", "Squeeze", "Unsqueeze", "Select", "Slice", "Alias", "Clone")
"""Names of changes of shape in autograd's graph."""


def check_task(task: Task | Loop, device: str | torch.device = "cpu") -> None:
    """Passes a few samples through both networks; a loop, whose networks are its own, is not checked.

    Raises:
        TaskError: Something does not fit; the message names the shapes, or has the user's part of a traceback.
    """
    if isinstance(task, Loop):
        return
    device, name = torch.device(device), type(task).__name__
    try:
        real = data_of(task, device).held_out[:_SAMPLES]
        networks = {"generator()": task.generator(), "discriminator()": discriminator_of(task)}
    except TaskError:
        raise
    except Exception as error:
        raise TaskError(f"{name} raised:\n{user_traceback(error)}") from error
    for method, network in networks.items():
        if not isinstance(network, nn.Module):
            raise TaskError(f"{name}: {method} must give an nn.Module, not a {type(network).__name__}")
    generator, discriminator = (network.to(device) for network in networks.values())
    fake = _generated(generator, task.latent_dim, device, name)
    if fake.shape[1:] != real.shape[1:]:
        raise TaskError(
            f"{name}: the generator's samples have shape {_shape(fake)}, the real ones {_shape(real)}; they must agree"
        )
    for kind, samples in {"real": real, "generated": fake}.items():
        _check_scores(discriminator, samples, kind, name)


def _generated(generator: nn.Module, latent_dim: int, device: torch.device, name: str) -> Tensor:
    """(B, ...) samples of a generator. Raises TaskError where it takes no (B, latent_dim) numbers."""
    try:
        fake = generator(torch.randn(_SAMPLES, latent_dim, device=device))
    except Exception as error:
        raise TaskError(
            f"{name}: the generator cannot take (B, {latent_dim}) numbers, as latent_dim = {latent_dim} says:\n"
            f"{user_traceback(error)}"
        ) from error
    if not isinstance(fake, Tensor):
        raise TaskError(f"{name}: the generator gives a {type(fake).__name__}, not a tensor of samples")
    return fake


def _check_scores(discriminator: nn.Module, samples: Tensor, kind: str, name: str) -> None:
    """Raises TaskError where D does not give raw scores, (B,) or (B, 1), of (B, ...) samples."""
    try:
        scores = discriminator(samples)
    except Exception as error:
        first = next((p.shape for p in discriminator.parameters()), None)
        raise TaskError(
            f"{name}: the discriminator cannot take {kind} samples of shape {_shape(samples)} "
            f"(its first weight has shape {tuple(first) if first else None}): {error}"
        ) from error
    if not isinstance(scores, Tensor):
        raise TaskError(
            f"{name}: the discriminator gives a {type(scores).__name__}, not scores; "
            "define score(self, outputs) that takes them out of it"
        )
    if tuple(scores.shape) not in ((_SAMPLES,), (_SAMPLES, 1)):
        raise TaskError(
            f"{name}: the discriminator must give (B,) or (B, 1) scores, not {tuple(scores.shape)} for B = {_SAMPLES}"
        )
    last = [module for module in discriminator.modules() if not list(module.children())][-1:]
    if (last and isinstance(last[0], nn.Sigmoid)) or _ends_in_sigmoid(scores):
        raise TaskError(f"{name}: the discriminator ends in a sigmoid; give raw scores (leave the sigmoid out)")


def _ends_in_sigmoid(scores: Tensor) -> bool:
    """Whether the last operation behind the scores is a sigmoid, changes of shape not counted."""
    operation = scores.grad_fn
    while operation is not None and operation.name().startswith(_RESHAPES):
        operation = operation.next_functions[0][0]
    return operation is not None and operation.name().startswith("SigmoidBackward")


def _shape(samples: Tensor) -> tuple[int, ...]:
    return tuple(samples.shape[1:])
