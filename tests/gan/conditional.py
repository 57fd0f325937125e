"""A small conditional GAN: points in the plane, a cluster a class, and networks that take the class."""

import torch
from torch import nn

from gansearch.gan import Task

CENTRES = torch.tensor([[-2.0, 0.0], [2.0, 0.0], [0.0, 2.0]])


class Generator(nn.Module):
    """(z, y) -> points; `sees` says whether y has any effect."""

    def __init__(self, sees=True):
        super().__init__()
        self.sees, self.classes = sees, nn.Embedding(3, 4)
        self.layers = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, z, y):
        return self.layers(torch.cat([z, self.classes(y if self.sees else torch.zeros_like(y))], -1))


class Projection(nn.Module):
    """(x, y) -> psi(phi(x)) + <embedding of y, phi(x)>, and with `heads` logits of the classes beside it."""

    def __init__(self, heads=False):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 16), nn.LeakyReLU(0.2))
        self.psi, self.classes = nn.Linear(16, 1), nn.Embedding(3, 16)
        self.logits = nn.Linear(16, 3) if heads else None

    def forward(self, x, y):
        features = self.phi(x)
        if self.logits is not None:
            return self.psi(features), self.logits(features)
        return self.psi(features) + (self.classes(y) * features).sum(-1, keepdim=True)


class Clusters(Task):
    """(N, 2) points and their classes, of which the last is half as frequent as the others."""

    latent_dim = 4

    def __init__(self, heads=False, sees=True, count=500):
        self.heads, self.sees = heads, sees
        draws = torch.Generator().manual_seed(0)
        self.classes = torch.tensor([0, 0, 1, 1, 2])[torch.randint(5, (count,), generator=draws)]
        self.points = CENTRES[self.classes] + 0.2 * torch.randn(count, 2, generator=draws)

    def real(self):
        return self.points

    def labels(self):
        return self.classes

    def generator(self):
        return Generator(self.sees)

    def discriminator(self):
        return Projection(self.heads)


class Endless(Clusters):
    """The same without end."""

    labels = Task.labels

    def real_batch(self, n, generator):
        y = torch.randint(5, (n,), generator=generator, device=generator.device) // 2
        centres = torch.stack([2.0 * (y == 1) - 2.0 * (y == 0), 2.0 * (y == 2)], 1)
        return centres + 0.2 * torch.randn(n, 2, generator=generator, device=generator.device), y
