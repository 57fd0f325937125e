"""The updates of a GAN: whose turn it is, the losses, the optimizers; for one seed or for several at once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gansearch.gan.balance.controller import BalanceController
from gansearch.gan.balance.gap_aware import GapAwareRate
from gansearch.gan.balance.schedule import Schedule
from gansearch.gan.data import Data
from gansearch.gan.losses import Loss, gradient_penalty, squared_gradient
from gansearch.gan.settings import Training
from gansearch.gan.still import Network, Still
from gansearch.gan.task import Task


class Updates:
    """What a `Trainer`, one seed, and a `Stacked`, several, have in common: how their networks are updated.

    Samples are (B, ...), scores (B,) and losses () of one seed, with a leading axis of R of several. What is drawn at
    random comes through `_drawn`, which is theirs.
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
    _still_d: Still
    _still_g: Still
    _one_pass: bool
    _batch_axis = 0

    @property
    def updates(self) -> int:
        """D and G updates done so far, pretraining included."""
        return self.d_updates + self.g_updates

    def step(self) -> Tensor:
        """One update of the network whose turn it is (both, where `simultaneous`); returns its loss, detached."""
        changed = self.schedule.follow(self.d_updates, self.g_updates)
        if changed and self.balance:
            self.balance.target = self.schedule.target_separability
        if changed or self.training.lr_decay:
            self._set_rates()
        if self.training.simultaneous and self.d_updates >= self.training.pretrain_steps:
            return self._simultaneous_step()
        return self._update_discriminator() if self._discriminators_turn() else self._update_generator()

    def _drawn(self, n: int, draw: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        """What `draw` makes for n samples of a run's generator of random numbers."""
        raise NotImplementedError

    def _whole(self, scores: Tensor) -> Tensor:
        """The scores of the whole batch; more than these where other processes train on the rest of it."""
        return scores

    def _mean(self, loss: Tensor) -> Tensor:
        """The loss of the whole batch; the mean of this one and theirs where other processes train on the rest."""
        return loss

    def _take_average(self) -> None:
        """Takes G's update into its average, where there is one."""
        raise NotImplementedError

    def _discriminators_turn(self) -> bool:
        done = self.d_updates - self.training.pretrain_steps
        if done >= 0 and self.balance:
            return self.balance.discriminators_turn()
        return done < 0 or self.schedule.discriminators_turn(self.d_updates, self.g_updates)

    def _update_discriminator(self) -> Tensor:
        return self._count(0, self._update(self.optimizer_d, self._discriminator_loss()))

    def _update_generator(self) -> Tensor:
        with self._still_d:
            loss = self._update(self.optimizer_g, self._generator_loss())
        return self._count(1, loss)

    def _simultaneous_step(self) -> Tensor:
        """Both gradients at the same parameters, then both updates."""
        loss_d = self._take_gradient(self.optimizer_d, self._discriminator_loss())
        with self._still_d:
            loss_g = self._update(self.optimizer_g, self._generator_loss())
        self.optimizer_d.step()
        self._count(1, loss_g)
        return self._count(0, loss_d)

    def _discriminator_loss(self) -> Tensor:
        training = self.training
        real = self._batch()
        with torch.no_grad(), self._still_g:
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

    def _scores(self, samples: Tensor) -> Tensor:
        return self.discriminator(samples).flatten(self._batch_axis)

    def _batch(self) -> Tensor:
        return self._drawn(self.training.batch_size, self.data.batch)

    def _latents(self, n: int) -> Tensor:
        dim = self.task.latent_dim
        return self._drawn(n, lambda n, draws: torch.randn(n, dim, generator=draws, device=self.device))

    def _noisy(self, samples: Tensor) -> Tensor:
        std = self.training.instance_noise * (1 - self.updates / self.training.updates)
        n, *shape = samples.shape[self._batch_axis :]
        noise = self._drawn(n, lambda n, draws: torch.randn(n, *shape, generator=draws, device=self.device))
        return samples + std * noise

    def _update(self, optimizer: torch.optim.Optimizer, loss: Tensor) -> Tensor:
        loss = self._take_gradient(optimizer, loss)
        optimizer.step()
        return loss

    def _take_gradient(self, optimizer: torch.optim.Optimizer, loss: Tensor) -> Tensor:
        """Gives the optimizer's parameters the gradient of a loss; returns that of the whole batch, detached."""
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = None  # as zero_grad() does, which takes ten times as long for small networks
        loss.backward(torch.ones_like(loss))  # of R losses the sum, which has the gradients of each
        return loss.detach()

    def _count(self, network: int, loss: Tensor) -> Tensor:
        self._losses[network].append(loss)
        if network == 0:
            self.d_updates += 1
            return loss
        self.g_updates += 1
        self._take_average()
        return loss

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

    def _set_rates(self) -> None:
        for optimizer, rate in zip((self.optimizer_d, self.optimizer_g), self._rates(), strict=True):
            optimizer.param_groups[0]["lr"] = rate
