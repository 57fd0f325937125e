"""The Dirac-GAN (Mescheder et al. 2018): the smallest GAN, whose convergence is known exactly.

Data δ_0, generator δ_θ, discriminator D(x) = ψx. Near the equilibrium a cycle of updates is a linear map of (ψ, θ).
"""

import math
import random

import torch
from torch import nn

import gansearch
from gansearch.experiment import Training


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(0.1))

    def forward(self, latents):
        return self.theta.expand(len(latents), 1)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.psi = nn.Parameter(torch.tensor(0.1))

    def forward(self, samples):
        return self.psi * samples


class Dirac(gansearch.Task):
    latent_dim = 1

    def real(self):
        return torch.zeros(60, 1)

    def generator(self):
        return Generator()

    def discriminator(self):
        return Discriminator()


def radius(loss, h_d, h_g, n_d, n_g, gamma, simultaneous):
    """|λ| of one cycle of n_d steps of size h_d and n_g of size h_g, with R1's γ, by its matrix."""
    c = 1.0 if loss == "wgan" else 0.5
    step_d = torch.tensor([[1 - h_d * gamma, -h_d * c], [0.0, 1.0]], dtype=torch.float64)
    step_g = torch.tensor([[1.0, 0.0], [h_g * c, 1.0]], dtype=torch.float64)
    if simultaneous:
        cycle = step_d + step_g - torch.eye(2, dtype=torch.float64)
    else:
        cycle = torch.matrix_power(step_g, n_g) @ torch.matrix_power(step_d, n_d)
    return float(torch.linalg.eigvals(cycle).abs().max())


def stable_by_formula(loss, h_d, h_g, n_d, n_g, gamma, simultaneous):
    """The closed forms: with γ > 0 strictly stable; without, on a circle (alternating and α < 2) or unstable."""
    c = 1.0 if loss == "wgan" else 0.5
    if gamma == 0:
        return not simultaneous and n_g * n_d * h_g * h_d * c * c < 4
    if simultaneous:
        return h_g * c * c < gamma and h_d * (2 * gamma - h_g * c * c) < 4
    q = 1 - h_d * gamma
    return abs(q) < 1 and n_g * h_g * c * (c * (1 - q**n_d) / gamma) < 2 * (1 + q**n_d)


def settings(count, seed=0):
    """Random settings and their |λ|, away from 1; two thirds of them with R1, a third simultaneous."""
    draw = random.Random(seed)
    found = []
    while len(found) < count:
        simultaneous = draw.random() < 1 / 3
        blocks = (1, 1) if simultaneous else draw.choice([(1, 1), (2, 1), (5, 1), (1, 2), (1, 4)])
        h_d, h_g = (10 ** draw.uniform(-1.3, 0.6) for _ in range(2))
        gamma = draw.choice([0.0, 10 ** draw.uniform(-1.3, 0.7), 10 ** draw.uniform(-1.3, 0.7)])
        setting = (draw.choice(["non_saturating", "wgan"]), h_d, h_g, *blocks, gamma, simultaneous)
        size = radius(*setting)
        if not 0.99 <= size <= 1.01:
            found.append((setting, size))
    return found


def training(setting, size):
    """Plain gradient steps, for as many cycles as it takes to see where they lead."""
    loss, h_d, h_g, n_d, n_g, gamma, simultaneous = setting
    cycles = min(2000, max(200, int(2 * math.log(1e4) / abs(math.log(size)))))
    return Training(
        loss=loss,
        optimizer="sgd",
        lr_d=h_d,
        lr_g=h_g,
        update_ratio=n_d / n_g,
        r1_gamma=gamma,
        gp=0.0,
        simultaneous=simultaneous,
        batch_size=2,
        updates=cycles * (n_d + n_g),
    )
