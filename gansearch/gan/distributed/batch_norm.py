"""Batch norm over a batch that several processes share.

Torch's SyncBatchNorm works on CUDA only and cannot be differentiated twice, which R1 needs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gansearch.gan.distributed.group import Group


def synchronise(network: nn.Module, group: Group) -> None:
    """Makes torch's batch norms in the network take their statistics over the whole batch while it trains.

    Layers that compute statistics in code of their own stay as they are.
    """
    for module in network.modules():
        if type(module) in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d):
            # In place, so that references to the layer, its hooks and shared layers stay valid.
            module.__class__ = Synchronised
            module.group = group  # type: ignore[assignment]


class Synchronised(_BatchNorm):
    """Batch norm of (B, C, ...) whose mean and variance, and their gradients, are those of all processes' samples.

    Outside of an update (probes, samples), when the other processes do something else, it is plain batch norm. Its base
    is what torch's batch norms have in common, which has no public name (torch/nn/modules/batchnorm.py, torch 2.13).
    """

    group: Group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"batch norm needs (B, C, ...), not {tuple(input.shape)}")

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, ...) -> (B, C, ...), normalised per channel."""
        if not (self.training and self.group.training):
            return super().forward(input)
        self._check_input_dim(input)
        # As torch does: half precision cannot even count the values of a channel.
        values = input.to(torch.promote_types(input.dtype, torch.float32))
        mean, variance, count = _moments(values, self.group)
        if self.track_running_stats:
            self._track(mean.detach(), variance.detach() * count / (count - 1))
        shape = (1, -1, *[1] * (input.dim() - 2))
        scale = torch.rsqrt(variance + self.eps)
        if self.weight is not None:
            scale = scale * self.weight
        output = (values - mean.view(shape)) * scale.view(shape)
        return (output if self.bias is None else output + self.bias.view(shape)).to(input.dtype)

    def _track(self, mean: Tensor, variance: Tensor) -> None:
        if self.num_batches_tracked is None or self.running_mean is None or self.running_var is None:
            return  # made without them
        self.num_batches_tracked.add_(1)
        share = 1.0 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean), share)
        self.running_var.lerp_(variance.to(self.running_var), share)


def _moments(input: Tensor, group: Group) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (C,), variance (C,) and number () of all processes' samples of each channel, in one exchange.

    Combined from each process's own as in Chan et al. 1979: a sum of all squares would lose the variance
    to rounding.
    """
    channels = input.shape[1]
    own = torch.var_mean(input, [0, *range(2, input.dim())], correction=0)
    count = input.new_full((1,), input.numel() // channels)
    table = _Sum.apply(_row(torch.cat([*own, count]), group), group)
    variances, means, counts = table.split([channels, channels, 1], 1)
    shares = counts / counts.sum()
    mean = (shares * means).sum(0)
    variance = (shares * (variances + (means - mean).square())).sum(0)
    return mean, variance, counts.sum()


def _row(values: Tensor, group: Group) -> Tensor:
    """(processes, n), this process's row filled with (n,) values and the others zero."""
    rows = [torch.zeros_like(values)] * group.size
    rows[group.rank] = values
    return torch.stack(rows)


class _Sum(torch.autograd.Function):
    """The sum over the processes. Its gradient is the sum of their gradients, of any order."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, group: Group) -> Tensor:
        ctx.group = group
        total = values.clone()
        group.sum(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Sum.apply(gradient.contiguous(), ctx.group), None
