"""Scikit-learn's 1,797 real handwritten digits of 8×8 pixels, learned by a small DCGAN."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansearch.gan import quality
from gansearch.gan.options import positive
from gansearch.gan.task import Task


@dataclass(eq=False)
class Digits(Task):
    """(N, 1, 8, 8) images in [-1, 1]. `width` scales the channels of both networks."""

    width: int = 32
    latent_dim: int = 32

    def __post_init__(self) -> None:
        positive(width=self.width, latent_dim=self.latent_dim)

    def real(self) -> Tensor:
        """Returns the (1797, 1, 8, 8) images."""
        return load()[0]

    def generator(self) -> nn.Module:
        """Returns a network (B, latent_dim) -> (B, 1, 8, 8) in [-1, 1]."""
        w = self.width
        return nn.Sequential(
            nn.Linear(self.latent_dim, 8 * w),
            nn.Unflatten(1, (2 * w, 2, 2)),
            nn.BatchNorm2d(2 * w),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * w, w, 4, 2, 1),
            nn.BatchNorm2d(w),
            nn.ReLU(),
            nn.ConvTranspose2d(w, 1, 4, 2, 1),
            nn.Tanh(),
        )

    def discriminator(self) -> nn.Module:
        """Returns a network (B, 1, 8, 8) -> (B, 1)."""
        w = self.width
        return nn.Sequential(
            nn.Conv2d(1, w, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(w, 2 * w, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(8 * w, 1),
        )

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Returns the Fréchet distance on a small classifier's features, the coverage (k = 5) of pixels, and label_kl.

        A distance of pixels misleads here: it chooses configurations with half the coverage of the best.
        """
        judge = classifier()
        with torch.no_grad():
            real_features, fake_features = (judge[:-1](images) for images in (real, fake))
            real_labels, fake_labels = (judge[-1](f).argmax(1) for f in (real_features, fake_features))
        return {
            "distance": quality.frechet(real_features, fake_features),
            "coverage": quality.coverage(real, fake),
            "label_kl": quality.label_kl(real_labels, fake_labels, 10),
        }


@functools.cache
def load() -> tuple[Tensor, Tensor]:
    """Returns the (1797, 1, 8, 8) images in [-1, 1] and their (1797,) labels."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return torch.tensor(digits.images, dtype=torch.float32)[:, None] / 8 - 1, torch.tensor(digits.target)


@functools.cache
def classifier() -> nn.Sequential:
    """Returns a small network that names digits; without its last layer it gives (N, 64) features.

    It is trained once a process, in about a second on one core. Every fifth image is left out, for the test of its
    accuracy. The seed is fixed, so that distances of different trials can be compared.
    """
    images, labels = (part[torch.arange(len(part)) % 5 > 0] for part in load())
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        network = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(256, 64),
            nn.ReLU(),
            nn.Linear(64, 10),
        )
        optimizer = torch.optim.Adam(network.parameters(), 2e-3)
        for _ in range(400):
            pick = torch.randint(len(images), (64,))
            loss = F.cross_entropy(network(images[pick]), labels[pick])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network.eval()
