"""The updates of a GAN: whose turn it is, the losses, the optimizers; for one seed or for several at once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gansearch.experiment import Training
from gansearch.gan.balance.controller import BalanceController
from gansearch.gan.balance.gap_aware import GapAwareRate
from gansearch.gan.balance.schedule import Schedule
from gansearch.gan.data import Data
from gansearch.gan.losses import Loss, gradient_penalty, squared_gradient
from gansearch.gan.networks import Frozen, Network
from gansearch.gan.task import Task


class Updates:
    """How networks are updated: what a `Trainer`, of one seed, and a `Stacked`, of several, have in common.

    Samples are (B, ...), scores (B,) and losses () of one seed, with a leading axis R of several. All that is drawn at
    random comes through `_drawn`, which the subclasses define.
    """

    task: Task
    training: Training
    device: torch.device
    data: Data
    loss: Loss
    generator: Network
    discriminator: Network
    optimizer_d: torch.optim.Optimizer
    optimizer_g: torch.optim.Optimizer
    schedule: Schedule
    balance: BalanceController | None = None
    gap_aware: GapAwareRate | None = None
    d_updates: int
    g_updates: int
    _losses: tuple[list[Tensor], list[Tensor]]  # of D and G since the last probe
    _frozen_d: Frozen
    _frozen_g: Frozen
    _one_pass: bool  # real and fake go through D as one batch
    _batch_axis = 0

    @property
    def updates(self) -> int:
        """D and G updates done so far, pretraining included."""
        return self.d_updates + self.g_updates

    def step(self) -> Tensor:
        """Updates the network whose turn it is (both, where `simultaneous`); returns its loss, detached."""
        changed = self.schedule.follow(self.d_updates, self.g_updates)
        if changed and self.balance:
            self.balance.target = self.schedule.target_separability
        if changed or self.training.lr_decay:
            for optimizer, rate in zip((self.optimizer_d, self.optimizer_g), self._rates(), strict=True):
                optimizer.param_groups[0]["lr"] = rate
        pretraining = self.d_updates < self.training.pretrain_steps
        if self.training.simultaneous and not pretraining:
            return self.update_discriminator(with_generator=True)
        if pretraining:
            turn_d = True
        elif self.balance:
            turn_d = self.balance.discriminators_turn()
        else:
            turn_d = self.schedule.discriminators_turn(self.d_updates, self.g_updates)
        return self.update_discriminator() if turn_d else self.update_generator()

    def update_discriminator(self, with_generator: bool = False) -> Tensor:
        """One update of D, or of both by gradients at the same parameters; returns D's loss, detached."""
        loss = self._gradient(self.optimizer_d, self._discriminator_loss())
        if with_generator:
            self.update_generator()
        self.optimizer_d.step()
        self._losses[0].append(loss)
        self.d_updates += 1
        return loss

    def update_generator(self) -> Tensor:
        """One update of G against a frozen D, and of G's average; returns G's loss, detached."""
        with self._frozen_d:
            loss = self._gradient(self.optimizer_g, self._generator_loss())
        self.optimizer_g.step()
        self._losses[1].append(loss)
        self.g_updates += 1
        self._update_average()
        return loss

    def _discriminator_loss(self) -> Tensor:
        training = self.training
        real = self._batch()
        with torch.no_grad(), self._frozen_g:
            fake = self.generator(self._latents(real.shape[self._batch_axis]))
        if training.instance_noise:
            real, fake = self._noisy(real), self._noisy(fake)
        if training.r1_gamma:
            real.requires_grad_()
        if training.r2_gamma:
            fake.requires_grad_()
        if self._one_pass:
            scores_real, scores_fake = self._scores(torch.cat([real, fake], self._batch_axis)).chunk(2, -1)
        else:
            scores_real, scores_fake = self._scores(real), self._scores(fake)
        loss = self.loss.d(scores_real, scores_fake, training.label_smoothing)
        if self.balance:
            self.balance.update(self._whole(scores_real), self._whole(scores_fake))
        if self.gap_aware:
            self.optimizer_d.param_groups[0]["lr"] = self._rates()[0] * self.gap_aware.factor(self._mean(loss))
        if training.r1_gamma:
            loss = loss + training.r1_gamma / 2 * squared_gradient(scores_real, real)
        if training.r2_gamma:
            loss = loss + training.r2_gamma / 2 * squared_gradient(scores_fake, fake)
        if training.gp_lambda:
            mix = self._drawn(
                real.shape[self._batch_axis], lambda n, draws: torch.rand(n, generator=draws, device=self.device)
            )
            loss = loss + training.gp_lambda * gradient_penalty(self._scores, real.detach(), fake.detach(), mix)
        return loss

    def _generator_loss(self) -> Tensor:
        fake = self.generator(self._latents(self.training.batch_size))
        if self.training.instance_noise:
            fake = self._noisy(fake)
        scores = self._scores(fake)
        if not self.loss.paired:
            return self.loss.g(scores, scores)
        with torch.no_grad():
            real = self._scores(self._batch())
        return self.loss.g(scores, real)

    def _gradient(self, optimizer: torch.optim.Optimizer, loss: Tensor) -> Tensor:
        """Gives the optimizer's parameters the gradient of a loss; returns the loss of the whole batch, detached."""
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = None  # as zero_grad() does, which takes ten times as long for small networks
        loss.backward(torch.ones_like(loss))  # of R losses the sum, which has the gradients of each
        return loss.detach()

    def _scores(self, samples: Tensor) -> Tensor:
        return self.discriminator(samples).flatten(self._batch_axis)

    def _batch(self) -> Tensor:
        if self.data.real is not None:
            return self.data.at(self._drawn(self.training.batch_size, self.data.picks))
        return self._drawn(self.training.batch_size, self.data.batch)

    def _latents(self, n: int) -> Tensor:
        dim = self.task.latent_dim
        return self._drawn(n, lambda n, draws: torch.randn(n, dim, generator=draws, device=self.device))

    def _noisy(self, samples: Tensor) -> Tensor:
        std = self.training.instance_noise * (1 - self.updates / self.training.updates)
        n, *shape = samples.shape[self._batch_axis :]
        noise = self._drawn(n, lambda n, draws: torch.randn(n, *shape, generator=draws, device=self.device))
        return samples + std * noise

    def _drawn(self, n: int, draw: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        """What `draw` makes for n samples with a run's generator of random numbers."""
        raise NotImplementedError

    def _whole(self, scores: Tensor) -> Tensor:
        """The scores of the whole batch; more than these where other processes train on the rest of it."""
        return scores

    def _mean(self, loss: Tensor) -> Tensor:
        """The loss of the whole batch; the mean of this one and theirs where other processes train on the rest."""
        return loss

    def _update_average(self) -> None:
        """Takes G's update into its average, where there is one."""
        raise NotImplementedError

    def _optimizer(self, network: Network, rate: float) -> torch.optim.Optimizer:
        # Fused ones also take a learning rate that is a tensor on the device, without waiting for it.
        fused = self.device.type in ("cpu", "cuda")
        if self.training.optimizer == "sgd":
            return torch.optim.SGD(network.parameters(), rate, fused=fused)
        return torch.optim.Adam(network.parameters(), rate, betas=self.training.adam_betas, fused=fused)

    def _rates(self) -> tuple[float, float]:
        """(lr_D, lr_G) now."""
        rate_d, rate_g = self.schedule.rates
        decay, budget = self.training.lr_decay, self.training.updates
        left = min(1.0, (budget - self.updates) / (decay * budget)) if decay else 1.0
        return rate_d * left, rate_g * left
