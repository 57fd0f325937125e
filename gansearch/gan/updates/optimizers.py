"""The optimizers of both networks, and what bounds weights after their steps."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from gansearch.experiment import Training


def optimizer_of(
    training: Training, parameters: Iterable[nn.Parameter], rate: float, device: torch.device
) -> torch.optim.Optimizer:
    """The optimizer that `training` names, of one network, with its first learning rate.

    Adam: Kingma & Ba 2015; AdamW, whose decay is taken off the weights: Loshchilov & Hutter 2019, algorithm 2; RMSprop:
    Tieleman & Hinton 2012, with torch's smoothing of .99, as in Arjovsky et al. 2017.
    """
    # Fused ones also take a learning rate that is a tensor on the device, without waiting for it.
    fused, decay = device.type in ("cpu", "cuda"), training.decay
    if training.optimizer == "sgd":
        return torch.optim.SGD(parameters, rate, weight_decay=decay, fused=fused)
    if training.optimizer == "rmsprop":  # not fused in torch 2.13; as `capturable` it takes such a rate too
        capturable = device.type == "cuda" and training.balance == "gap_aware"
        return torch.optim.RMSprop(parameters, rate, weight_decay=decay, capturable=capturable)
    kind = torch.optim.AdamW if training.optimizer == "adamw" else torch.optim.Adam
    return kind(parameters, rate, betas=training.adam_betas, weight_decay=decay, fused=fused)


@torch.no_grad()
def clip_weights(optimizer: torch.optim.Optimizer, most: float) -> None:
    """Cuts the weights that an optimizer trains off at ± `most`, in place (Arjovsky et al. 2017, algorithm 1)."""
    for parameter in optimizer.param_groups[0]["params"]:
        if parameter.grad is not None:
            parameter.clamp_(-most, most)
