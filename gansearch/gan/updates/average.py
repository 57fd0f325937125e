"""The moving average of a generator's weights."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from gansearch.gan.networks import Network


class Average(nn.Module):
    """The exponential moving average of a network, in `module`; its first update copies the network.

    Its state_dict is that of `torch.optim.swa_utils.AveragedModel`, which copies its count to the device at every
    update, so that the host waits for a GPU. Here the count stays on the CPU.
    """

    module: nn.Module
    n_averaged: Tensor

    def __init__(self, network: nn.Module):
        super().__init__()
        self.module = copy.deepcopy(network)
        self.register_buffer("n_averaged", torch.tensor(0))

    def update(self, network: Network, decay: float) -> None:
        """Takes the network's current weights and buffers in, with a weight of 1 − `decay`; the caller counts."""
        mix(self.module, network, decay if self.n_averaged else 0.0)


@torch.no_grad()
def mix(average: Network, network: Network, decay: float) -> None:
    """Changes an average, in place, to decay · average + (1 − decay) · network. Never waits for the device.

    Integers and booleans become the network's current ones: an average of them, cut to an integer, is off by one or
    stands still.
    """
    mixed: tuple[list[Tensor], list[Tensor]] = [], []
    for own, now in zip(*([*each.parameters(), *each.buffers()] for each in (average, network)), strict=True):
        if decay and (own.is_floating_point() or own.is_complex()):
            mixed[0].append(own)
            mixed[1].append(now)
        else:
            own.copy_(now)
    if mixed[0]:
        get_ema_multi_avg_fn(decay)(*mixed, 1)
