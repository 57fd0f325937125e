"""The textbook's training loop for the head-to-head: plain updates of D and G, and the task's distance when asked.

It is what a user writes, made fast: fused Adam, real and fake in one pass through a D without batch norm, and no
gradients for the weights of the network whose turn it is not. It has no trainer, monitor or referee in it. The search
by hand trains by it, and so does the judge of both sides' winners.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from gansearch.experiment import Training
from gansearch.gan.data import data_of
from gansearch.gan.task import Task


class PlainLoop:
    """One GAN of a task's networks, one configuration, one seed."""

    def __init__(self, task: Task, training: Training, seed: int):
        if training.loss not in ("non_saturating", "wgan"):
            raise ValueError(f"the plain loop has no loss {training.loss}")
        self.task, self.training = task, training
        self.data = data_of(task, torch.device("cpu"))
        self.draws = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        self.generator, self.discriminator = task.generator(), task.discriminator()
        self.one_pass = not any(isinstance(module, _BatchNorm) for module in self.discriminator.modules())
        rate_d, rate_g = training.rates
        self.optimizer_d = torch.optim.Adam(self.discriminator.parameters(), rate_d, training.adam_betas, fused=True)
        self.optimizer_g = torch.optim.Adam(self.generator.parameters(), rate_g, training.adam_betas, fused=True)
        self.d_updates = self.g_updates = 0

    @property
    def updates(self) -> int:
        """Of D and G together, pretraining included."""
        return self.d_updates + self.g_updates

    def train(self, until: int) -> None:
        """Trains to so many updates: D alone at first, then `update_ratio` updates of D for each one of G."""
        before, ratio = self.training.pretrain_steps, self.training.update_ratio
        while self.updates < until:
            if self.d_updates < before or self.d_updates - before < ratio * (self.g_updates + 1):
                self.update_discriminator()
            else:
                self.update_generator()

    def update_discriminator(self) -> None:
        training = self.training
        real = self.data.batch(training.batch_size, self.draws)
        with torch.no_grad():
            fake = self.generator(self._latents(len(real)))
        real.requires_grad_(training.r1_gamma > 0)
        if self.one_pass:
            scores_real, scores_fake = self.discriminator(torch.cat([real, fake])).flatten().chunk(2)
        else:
            scores_real, scores_fake = self.discriminator(real).flatten(), self.discriminator(fake).flatten()
        if training.loss == "wgan":
            loss = scores_fake.mean() - scores_real.mean()
        else:
            loss = F.softplus(-scores_real).mean() + F.softplus(scores_fake).mean()
        if training.r1_gamma:
            (gradient,) = torch.autograd.grad(scores_real.sum(), real, create_graph=True)
            loss = loss + training.r1_gamma / 2 * gradient.square().flatten(1).sum(1).mean()
        if training.gp_lambda:
            loss = loss + training.gp_lambda * self._gradient_penalty(real.detach(), fake)
        _step(self.optimizer_d, loss)
        self.d_updates += 1

    def update_generator(self) -> None:
        self.discriminator.requires_grad_(False)
        scores = self.discriminator(self.generator(self._latents(self.training.batch_size))).flatten()
        _step(self.optimizer_g, -scores.mean() if self.training.loss == "wgan" else F.softplus(-scores).mean())
        self.discriminator.requires_grad_(True)
        self.g_updates += 1

    def samples(self, n: int) -> Tensor:
        """(n, ...) fakes of the generator in evaluation mode."""
        self.generator.eval()
        with torch.no_grad():
            parts = [self.generator(self._latents(min(1_000, n - i))) for i in range(0, n, 1_000)]
        self.generator.train()
        return torch.cat(parts)

    def quality(self) -> dict[str, float]:
        """The task's measure of the held-out reals and as many fakes; the distance may be infinite."""
        real = self.data.held_out
        fake = self.samples(len(real))
        if not bool(fake.isfinite().all()):
            return {"distance": math.inf}
        measured = {name: float(value) for name, value in self.task.quality(real, fake).items()}
        return measured if math.isfinite(measured["distance"]) else {"distance": math.inf}

    def _latents(self, n: int) -> Tensor:
        return torch.randn(n, self.task.latent_dim, generator=self.draws)

    def _gradient_penalty(self, real: Tensor, fake: Tensor) -> Tensor:
        """Gulrajani et al. 2017, equation 3."""
        share = torch.rand(len(real), *[1] * (real.dim() - 1), generator=self.draws)
        between = (share * real + (1 - share) * fake).requires_grad_()
        (gradient,) = torch.autograd.grad(self.discriminator(between).sum(), between, create_graph=True)
        return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
