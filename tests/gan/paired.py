"""A small task of pairs: pictures of 8×8, whose inputs are their left halves, and networks that score patches."""

import torch
from torch import nn

from gansearch.gan import Task


class Patches(nn.Module):
    """(x, y) -> (B, 1, 4, 4) scores, or with two scales a list of these and (B, 1, 2, 2)."""

    def __init__(self, scales=1):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(2, 1, 4, 2, 1) for _ in range(scales))

    def forward(self, x, y):
        both, scores = torch.cat([x, y], 1), []
        for layer in self.layers:
            scores.append(layer(both))
            both = nn.functional.avg_pool2d(both, 2)
        return scores[0] if len(scores) == 1 else scores


class Halves(Task):
    """Smooth pictures of noise; G sees their left half, and no latents."""

    latent_dim = 0

    def __init__(self, scales=1, count=120):
        self.scales = scales
        noise = torch.randn(count, 1, 4, 4, generator=torch.Generator().manual_seed(0))
        self.pictures = nn.functional.interpolate(noise, scale_factor=2, mode="bilinear").tanh()

    def pairs(self):
        inputs = self.pictures.clone()
        inputs[..., 4:] = 0
        return inputs, self.pictures

    def generator(self):
        return nn.Sequential(nn.Conv2d(1, 4, 3, 1, 1), nn.ReLU(), nn.Conv2d(4, 1, 3, 1, 1), nn.Tanh())

    def discriminator(self):
        return Patches(self.scales)


class Sampled(Halves):
    """The same with latents, a channel each."""

    latent_dim = 2

    def generator(self):
        return WithLatents()


class WithLatents(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 1, 3, 1, 1)

    def forward(self, z, y):
        return self.layer(torch.cat([y, z[..., None, None].expand(*z.shape, 8, 8)], 1)).tanh()
