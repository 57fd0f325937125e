"""A small task with every kind of layer that changes when it is called, and what tests compare."""

import torch
from torch import nn

from gansearch.gan import Task


class Normed(Task):
    """Batch norm and dropout in both networks, and spectral norm's old hook in D."""

    latent_dim = 4

    def real(self):
        return torch.randn(200, 3, generator=torch.Generator().manual_seed(5))

    def generator(self):
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))

    def discriminator(self):
        first = torch.nn.utils.spectral_norm(nn.Linear(3, 8))
        return nn.Sequential(first, nn.BatchNorm1d(8), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(8, 1))


def everything(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def finish(trainer):
    return list(trainer.run()), trainer.result()
