"""What the trainer needs of networks that somebody else has written."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from gansearch.gan.task import Task, TaskError
from gansearch.stability.measures import per_sample

_INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
_DROPOUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


class Network(Protocol):
    """What an update needs of a network: a module is one, and so are `gansearch.gan.updates.vmapped.Copies` of one."""

    def __call__(self, *inputs: Tensor, **options: Any) -> Tensor:
        """(B, latent_dim) latents -> (B, ...) samples, or samples -> raw scores; `Copies` have a leading axis R.

        With conditions, (B, ...), these are the second input.
        """

    def parameters(self) -> Iterator[nn.Parameter]:
        """The tensors that an optimizer trains."""

    def buffers(self) -> Iterator[Tensor]:
        """The tensors that it keeps beside them, such as running statistics."""

    def modules(self) -> Iterator[nn.Module]:
        """The network itself and every module within it."""


class Frozen:
    """Inside `with frozen:` a network does not change, and its parameters get no gradients.

    It works as in training otherwise: batch norm uses the statistics of the batch. Running statistics and the power
    iteration of spectral norm are off. `dropout=False` turns dropout off as well, for probes. `gradients=False` is for
    use under `torch.no_grad` alone, and leaves the parameters as they are, which is faster.
    """

    def __init__(self, network: Network, dropout: bool = True, gradients: bool = True):
        modules = list(network.modules())
        self._parameters = [p for p in network.parameters() if p.requires_grad] if gradients else []
        self._norms: list[Any] = [m for m in modules if getattr(m, "track_running_stats", False)]
        # They update running statistics even where `track_running_stats` is False.
        self._momenta = [(m, m.momentum) for m in self._norms if isinstance(m, _INSTANCE_NORMS)]
        self._modes = [m for m in modules if _iterates(m) or (not dropout and isinstance(m, _DROPOUT))]

    def __enter__(self) -> None:
        self._set(False)

    def __exit__(self, *error: object) -> None:
        self._set(True)

    def _set(self, trains: bool) -> None:
        for parameter in self._parameters:
            parameter.requires_grad = trains
        for norm in self._norms:
            norm.track_running_stats = trains
        for norm, momentum in self._momenta:
            norm.momentum = momentum if trains else 0.0
        for module in self._modes:
            module.training = trains


def _iterates(module: nn.Module) -> bool:
    """Whether a module in training mode refines the singular vectors of torch's spectral norm, old or parametrization.

    Both keep them in buffers `…_u` and `…_v`, which checkpoints rely on; the classes themselves are private.
    """
    names = {name for name, _ in module.named_buffers(recurse=False)}
    return any(name.endswith("_u") and f"{name[:-1]}v" in names for name in names)


class Scored(nn.Module):
    """A discriminator whose outputs, of whatever form, `task.score` turns into (B,) or (B, 1) scores."""

    def __init__(self, network: nn.Module, task: Task):
        super().__init__()
        self.network = network
        self._score = task.score

    def forward(self, *inputs: Tensor, logits: bool = False) -> Tensor:
        """(B, ...) samples, and conditions if any -> (B,) or (B, 1) scores; (B, 1 + K) with the `logits` of classes."""
        outputs = self.network(*inputs)
        scores = joined(self._score(outputs))
        return torch.cat([per_sample(scores).unsqueeze(1), outputs[1]], 1) if logits else scores


def joined(scores: Any) -> Any:
    """(B, 1, patches) scores of a list of (B, ...), those of several scales; all else as it is.

    Each scale's are repeated to as many as the one with the most has, so that in a mean all scales count alike.
    """
    if not isinstance(scores, list) or not all(isinstance(one, Tensor) for one in scores):
        return scores
    flat = [one.flatten(1) if one.dim() > 1 else one.unsqueeze(1) for one in scores]
    most = max(one.shape[1] for one in flat)
    columns = torch.arange(most, device=flat[0].device)
    return torch.cat([one[:, columns * one.shape[1] // most] for one in flat], 1).unsqueeze(1)


def _join(module: nn.Module, inputs: Any, outputs: Any) -> Any:
    return joined(outputs)


class WithoutLatents(nn.Module):
    """A generator of conditions alone, which is called as one of (B, 0) latents and conditions."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, latents: Tensor, conditions: Tensor) -> Tensor:
        """(B, ...) samples of (B, ...) conditions."""
        samples: Tensor = self.network(conditions)
        return samples


def generator_of(task: Task, conditional: bool = False) -> nn.Module:
    """A fresh generator of the task, (B, latent_dim) latents and conditions where there are some -> (B, ...) samples.

    With `latent_dim` 0 the task's own takes conditions alone.
    """
    network = task.generator()
    return WithoutLatents(network) if conditional and task.latent_dim == 0 else network


class Packed(nn.Module):
    """A discriminator of packs: it sees `packing` samples side by side, and each of them gets the pack's score.

    PacGAN (Lin et al. 2018, arXiv 1712.04086): a pack shows a lack of diversity that a sample does not.
    """

    def __init__(self, network: nn.Module, packing: int):
        super().__init__()
        self.network, self.packing = network, packing

    def forward(self, *inputs: Tensor) -> Tensor:
        """(B, W) samples, and conditions if any -> (B, 1) scores; samples of the beginning fill up the last pack."""
        count, device = len(inputs[0]), inputs[0].device
        rows = torch.arange(-(-count // self.packing) * self.packing, device=device) % count
        packs = (part[rows].unflatten(0, (-1, self.packing)).flatten(1) for part in inputs)
        scores: Tensor = self.network(*packs)
        return scores.repeat_interleave(self.packing, 0)[:count]


def discriminator_of(task: Task, packing: int = 1, conditional: bool = False) -> nn.Module:
    """A fresh discriminator of the task, (B, ...) samples -> (B,), (B, 1) or patches' scores. Raises TaskError.

    A `conditional` one is given conditions too, and may give logits of classes beside its scores.
    """
    if packing > 1 and "packing" not in inspect.signature(task.discriminator).parameters:
        raise TaskError(f"training.packing: {type(task).__name__}.discriminator() takes no `packing`; leave it out")
    network = task.discriminator(**({"packing": packing} if packing > 1 else {}))
    if conditional or type(task).score is not Task.score:
        network = Scored(network, task)
    elif isinstance(network, nn.Module):
        network.register_forward_hook(_join)  # a module around it would give its weights other names
    return Packed(network, packing) if packing > 1 else network


def refuse_classifier(discriminator: nn.Module, classes: int, *inputs: Tensor) -> None:
    """Raises TaskError where `training.auxiliary` cannot be: D gives no logits of `classes`, or is told the classes.

    `inputs` are a few (x, y) with classes y.
    """
    if not classes:
        raise TaskError("training.auxiliary: is for classes, (N,) whole numbers that labels() returns; leave it out")
    if not isinstance(discriminator, Scored):
        raise TaskError("training.auxiliary: does not go with packing; leave one of the two out")
    samples, labels = inputs
    with torch.no_grad(), Frozen(discriminator, dropout=False):
        outputs = discriminator.network(samples, labels)
        if (
            not isinstance(outputs, tuple)
            or len(outputs) != 2
            or outputs[1].dim() != 2
            or outputs[1].shape[1] < classes
        ):
            raise TaskError(
                f"training.auxiliary: discriminator() must give (scores, logits), with (B, {classes}) logits of the "
                f"{classes} classes"
            )
        others = discriminator.network(samples, (labels + 1) % classes)[1]
    if not torch.allclose(outputs[1], others, rtol=1e-3, atol=1e-5):
        raise TaskError(
            "training.auxiliary: the logits of classes depend on y, which D is told; make them from x alone"
        )


def make_weights(network: nn.Module, shape: Sequence[int], device: torch.device, conditions: Sequence[Tensor]) -> None:
    """Calls a network of (B, *shape) inputs once, in evaluation mode, where lazy layers have no weights yet.

    `conditions` are (y,) of some samples, or () without any.
    """
    if any(is_lazy(tensor) for tensor in (*network.parameters(), *network.buffers())):
        network.eval()
        with torch.no_grad():
            network(torch.zeros(2, *shape, device=device), *(part[:2] for part in conditions))


def parts(n: int, most: int = 1_000) -> list[int]:
    """Sizes of the parts in which n samples are made; none has one alone, of which batch norm may know no spread."""
    sizes = [min(most, n - i) for i in range(0, n, most)]
    return [*sizes[:-2], most - 1, 2] if len(sizes) > 1 and sizes[-1] == 1 else sizes


def scores_are_independent(discriminator: nn.Module, *inputs: Tensor) -> bool:
    """Whether D's score of a sample depends on that sample alone: no batch norm, no minibatch statistics.

    Tried on (N, ...) samples, with their conditions if any, in training mode. Real and fake can then pass through D as
    one batch, which is faster.
    """
    with torch.no_grad(), Frozen(discriminator, dropout=False):
        together = discriminator(*inputs).flatten()
        parts = zip(*(part.chunk(2) for part in inputs), strict=True)
        halves = torch.cat([discriminator(*part).flatten() for part in parts])
    return bool(torch.allclose(together, halves, rtol=1e-3, atol=1e-4 * float(together.abs().mean()) + 1e-6))


def gradient_norm(network: nn.Module) -> Tensor | None:
    """The 2-norm of a network's last gradient, () on its device, or None where it has none yet."""
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    return nn.utils.get_total_norm(gradients) if gradients else None
