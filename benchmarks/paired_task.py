"""A task of pairs without files, for validity_runs.py: handwritten digits are made of their left halves."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gansearch.gan import Task, quality
from gansearch.gan.tasks.digits import classifier, load
from gansearch.gan.tasks.pair_networks import Scales, UNet


class Halves(Task):
    """(N, 1, 8, 8) digits of scikit-learn in [-1, 1]; inputs are white where the right half was."""

    latent_dim = 8

    def pairs(self) -> tuple[Tensor, Tensor]:
        """Returns the halves and the whole digits."""
        digits, _ = load()
        inputs = digits.clone()
        inputs[..., 4:] = -1
        return inputs, digits

    def generator(self) -> nn.Module:
        """Returns a small U-Net of latents and a half."""
        return UNet(8, 1, 1, 8, 0.0, self.latent_dim)

    def discriminator(self) -> nn.Module:
        """Returns a discriminator of 2×2 patches, each of which sees the whole digit beside the half."""
        return Scales(2, 8, 2, 1)

    def conditional_quality(self, real: Tensor, fake: Tensor, labels: Tensor) -> dict[str, float]:
        """Returns the Fréchet joint distance on a small classifier's features of digits and halves."""
        judge = classifier()[:-1]
        with torch.no_grad():
            found, made, inputs = (judge(images) for images in (real, fake, labels))
        return {"distance": quality.frechet(*quality.joint(found, made, inputs))}
