"""Scikit-learn's 1,797 real handwritten digits of 8×8 pixels, learned by a small DCGAN."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansearch.gan import quality
from gansearch.gan.distances.named import DISTANCES, distance_told
from gansearch.gan.distances.reals import Reals, reals_of
from gansearch.gan.features.named import Features
from gansearch.gan.options import one_of, positive
from gansearch.gan.task import Task
from gansearch.gan.tasks.conditional_networks import Conditioned, Projection

DIGITS = 10


@dataclass(eq=False)
class Digits(Task):
    """(N, 1, 8, 8) images in [-1, 1]. `width` scales the channels of both networks; `distance` is one of three.

    With `condition: true` both are given the digit: G beside its latent, D by projection (Miyato & Koyama 2018).
    """

    width: int = 32
    latent_dim: int = 32
    condition: bool = False
    distance: str = "plain_frechet"

    def __post_init__(self) -> None:
        one_of("distance", self.distance, ("plain_frechet", "frechet", "kid"))
        positive(width=self.width, latent_dim=self.latent_dim)

    def real(self) -> Tensor:
        """Returns the (1797, 1, 8, 8) images."""
        return load()[0]

    def labels(self) -> Tensor | None:
        """Returns the (1797,) digits where they are the condition."""
        return load()[1] if self.condition else None

    def generator(self) -> nn.Module:
        """Returns a network (B, latent_dim), and (B,) digits if wanted -> (B, 1, 8, 8) in [-1, 1]."""
        if self.condition:
            return Conditioned(self._generator(self.latent_dim + DIGITS), DIGITS, DIGITS)
        return self._generator(self.latent_dim)

    def _generator(self, inputs: int) -> nn.Module:
        w = self.width
        return nn.Sequential(
            nn.Linear(inputs, 8 * w),
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
        """Returns a network (B, 1, 8, 8), and (B,) digits if wanted -> (B, 1)."""
        w = self.width
        network = nn.Sequential(
            nn.Conv2d(1, w, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(w, 2 * w, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(8 * w, 1),
        )
        return Projection(network, DIGITS) if self.condition else network

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Returns the distance on a small classifier's features, the coverage (k = 5) of pixels, and label_kl.

        A distance of pixels misleads here: it chooses configurations with half the coverage of the best.
        """
        reals, made = reals_of(real, judged()), judged()(fake)
        return {
            **DISTANCES[self.distance].measure(reals, made),
            "coverage": quality.coverage(real, fake),
            "label_kl": quality.label_kl(_named(reals.features), _named(made), DIGITS),
        }

    def conditional_quality(self, real: Tensor, fake: Tensor, labels: Tensor) -> dict[str, float]:
        """Returns the same of features beside the digits, and `accuracy`, the share of fakes that are named right."""
        reals, made = quality.joint(judged()(real), judged()(fake), labels)
        found = {**self.quality(real, fake), **DISTANCES[self.distance].measure(Reals(reals), made)}
        return {**found, "accuracy": float((_named(judged()(fake)) == labels).float().mean())}

    def described(self) -> list[str]:
        """Returns what the distance is, and of how many samples."""
        return distance_told(self, self.distance, judged())


def _named(features: Tensor) -> Tensor:
    """The (N,) digits that the classifier names."""
    with torch.no_grad():
        return classifier()[-1](features).argmax(1)


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


@functools.cache
def judged() -> Features:
    """Returns the classifier's features, 64 of an image."""
    return Features("classifier", 64, torch.no_grad()(lambda images: classifier()[:-1](images)))
