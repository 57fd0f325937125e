"""The updates of a GAN: whose turn it is, the losses, the optimizers; for one seed or for several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansearch.gan.balance.controller import BalanceController
from gansearch.gan.balance.gap_aware import GapAwareRate
from gansearch.gan.balance.schedule import Schedule
from gansearch.gan.networks import Frozen, Network
from gansearch.gan.updates.average import Average
from gansearch.gan.updates.capture import Captures
from gansearch.gan.updates.draws import Draws
from gansearch.gan.updates.forward import Forward, scaled_step
from gansearch.gan.updates.losses import Loss, best_of, gradient_penalty, of_samples, squared_gradient
from gansearch.gan.updates.optimizers import clip_weights
from gansearch.gan.updates.reconstruction import reconstruction
from gansearch.gan.updates.row_optimizer import RowOptimizer

Weight = float | Tensor | None
"""Of a term of a loss: a number, or (R,) of R runs at once; None where there is no such term."""
Turn = Literal["d", "g", "both", "alone"]
"""The network that is updated next; `alone` is G, before D starts."""


class Replays(Captures, Protocol):
    """What makes updates in the place of a trainer's own, but not while it is at work itself (gan/graphs.py)."""

    at_work: bool

    def update(self, turn: Turn) -> Tensor:
        """Makes one; returns D's loss, or G's where D has no turn."""


class Updates(Draws):
    """How networks are updated: what a `Trainer`, of one seed, and a `Stacked`, of several, have in common.

    Samples are (B, ...), scores (B,) and losses () of one seed, with a leading axis R of several. All that is drawn at
    random comes through `_drawn`, which the subclasses define.
    """

    loss: Loss
    generator: Network
    discriminator: Network
    optimizer_d: torch.optim.Optimizer
    optimizer_g: torch.optim.Optimizer
    scaler_d: torch.amp.GradScaler | None  # of losses, with `precision: fp16`
    scaler_g: torch.amp.GradScaler | None
    schedule: Schedule
    average: Average | None  # of G
    balance: BalanceController | None = None
    gap_aware: GapAwareRate | None = None
    d_updates: int
    g_updates: int
    _losses: tuple[list[Tensor], list[Tensor]]  # of D and G since the last probe
    _answers: list[tuple[Tensor, Tensor, Tensor]]  # of D in an update: scores of reals and of fakes, and its loss
    _forward_d: Forward
    _forward_g: Forward
    _frozen_d: Frozen
    _frozen_g: Frozen
    _one_pass: bool  # real and fake go through D as one batch
    _alone = False  # D has not started yet: G learns from the reconstruction alone
    graphs: Replays | None = None
    row_graphs: Captures | None = None  # of several at once
    _deferred: list[Tensor] | None = None  # losses of an update that is no step of the training (gan/graphs.py)

    def _resolve(self) -> None:
        """Derives once from `training` what every update needs of it."""
        self._size_d, self._size_g = self.training.batch_size, self.training.batch_size_g
        self._gp, self._auxiliary = self.training.gp_lambda, self.training.auxiliary
        self._clips = self.training.clip_grad > 0
        self._reconstructs, self._start = self.training.reconstructs, self.training.start_steps
        self._ones = torch.empty(0)  # a loss's gradient of itself, once there is a loss

    @property
    def updates(self) -> int:
        """D and G updates done so far, pretraining included."""
        return self.d_updates + self.g_updates

    def step(self) -> Tensor:
        """Updates the network whose turn it is (both, where `simultaneous`); returns its loss, detached."""
        turn = self.turn()
        self._alone = turn == "alone"
        return self.update_generator() if turn in ("g", "alone") else self.update_discriminator(turn == "both")

    def turn(self) -> Turn:
        """Whose update is next; makes the changes that are due before it."""
        changed = self.schedule.follow(self.d_updates, self.g_updates)
        if changed and self.balance:
            self.balance.target = self.schedule.target_separability
        if changed or self.training.lr_decay:
            for optimizer, rate in zip((self.optimizer_d, self.optimizer_g), self._rates(), strict=True):
                group = optimizer.param_groups[0]
                group["lr"] = rate
                if "betas" in group:
                    group["betas"] = (group["betas"][0], self.schedule.beta2)
        if self.g_updates < self._start:
            return "alone"
        if self.d_updates < self.training.pretrain_steps:
            return "d"
        if self.training.simultaneous:
            return "both"
        if self.balance:
            return "d" if self.balance.discriminators_turn() else "g"
        return "d" if self.schedule.discriminators_turn(self.d_updates, self.g_updates) else "g"

    def update_discriminator(self, with_generator: bool = False) -> Tensor:
        """One update of D, or of both by gradients at the same parameters; returns D's loss, detached."""
        if self.graphs is not None and not self.graphs.at_work:
            return self.graphs.update("both" if with_generator else "d")
        loss = self._gradient(self.optimizer_d, self.scaler_d, self._discriminator_loss, self._size_d)
        if self._answers and self._deferred is None:
            self._adapt()
        if with_generator:
            self.update_generator()
        if self.scaler_d:
            scaled_step(self.optimizer_d, self.scaler_d)
        else:
            self.optimizer_d.step()
        if self.training.weight_clip:
            clip_weights(self.optimizer_d, self.training.weight_clip)
        self.count("d", loss)
        return loss

    def update_generator(self) -> Tensor:
        """One update of G against a frozen D, and of G's average; returns G's loss, detached."""
        if self.graphs is not None and not self.graphs.at_work:
            return self.graphs.update("alone" if self._alone else "g")
        with self._frozen_d:
            loss = self._gradient(self.optimizer_g, self.scaler_g, self._generator_loss, self._size_g)
        if self.scaler_g:
            scaled_step(self.optimizer_g, self.scaler_g)
        else:
            self.optimizer_g.step()
        if self.average is not None:
            self.average.update(self.generator, self.schedule.ema)
        self.count("g", loss)
        return loss

    def count(self, network: str, loss: Tensor) -> None:
        """Counts an update of "d" or "g" that has been made; those that are deferred leave their losses alone."""
        if self._deferred is not None:
            self._deferred.append(loss)
            return
        self._losses[network == "g"].append(loss)
        if network == "d":
            self.d_updates += 1
            return
        self.g_updates += 1
        if self.average is not None:
            self.average.n_averaged.add_(1)

    def _discriminator_loss(self) -> Tensor:
        training, n = self.training, self._size_d
        r1, r2, gp = self._penalties()
        real, *y = self._batch(n)  # y, where there is one, is the condition of a real and of the fake beside it
        with torch.no_grad(), self._frozen_g:
            fake = self._forward_g(self._latents(n), *y)
            if self.augmentation:
                real, fake = self._augmented(real, n), self._augmented(fake, n)
        if training.instance_noise:
            real, fake = self._noisy(real, n), self._noisy(fake, n)
        if r1 is not None:
            real.requires_grad_()
        if r2 is not None:
            fake.requires_grad_()
        # Gradients of gradients are taken in full precision, and from the network itself (gan/updates/forward.py).
        forward = self._forward_d if r1 is r2 is gp is None else self.discriminator
        if self._one_pass:
            axis = self._batch_axis
            twice = (torch.cat([labels, labels], axis) for labels in y)
            scores, error = self._judged(forward, torch.cat([real, fake], axis), *twice)
            scores_real, scores_fake = scores.chunk(2, -1)
            errors = 2 * error
        else:
            scores_real, error = self._judged(forward, real, *y)
            scores_fake, errors = self._judged(forward, fake, *y)
            errors = error + errors
        loss = self.loss.d(scores_real, scores_fake, training.label_smoothing)
        count = real.shape[self._batch_axis]
        of_real, of_fake = of_samples(scores_real, count), of_samples(scores_fake, count)
        if self.balance or self.gap_aware or self.augmentation:
            self._answers.append((of_real.detach(), of_fake.detach(), loss.detach()))
        if self._auxiliary:
            loss = loss + self._auxiliary * errors
        if r1 is not None:
            loss = loss + r1 / 2 * squared_gradient(of_real, real, training.packing)
        if r2 is not None:
            loss = loss + r2 / 2 * squared_gradient(of_fake, fake, training.packing)
        if gp is not None:

            def score(samples: Tensor) -> Tensor:
                axis, count = self._batch_axis, samples.shape[self._batch_axis]
                return of_samples(self._scores(forward, samples, *(part.narrow(axis, 0, count) for part in y)), count)

            mix = self._drawn(n, lambda n, draws: torch.rand(n, generator=draws, device=self.device))
            loss = loss + gp * gradient_penalty(score, real.detach(), fake.detach(), mix, training.packing)
        return loss

    def _penalties(self) -> tuple[Weight, Weight, Weight]:
        """The weights of R1, R2 and WGAN-GP's penalty in D's next update; None for one that it has not.

        Lazy ones are in every `r1_every`th update alone, in which they make up for the others (Karras et al. 2020,
        arXiv 1912.04958, appendix B).
        """
        every, now = self.training.r1_every, self.schedule
        if self.d_updates % every:
            return None, None, None
        return every * now.r1_gamma or None, every * now.r2_gamma or None, every * self._gp or None

    def _adapt(self) -> None:
        """Lets what follows D's answers take those of this update."""
        real, fake, losses = zip(*self._answers, strict=True)
        self._answers = []
        if self.balance or self.augmentation:
            scores_real, scores_fake = (self._whole(torch.cat(scores, -1)) for scores in (real, fake))
            if self.balance:
                self.balance.update(scores_real, scores_fake)
            if self.augmentation:
                self.augmentation.update(scores_real - self.loss.middle(scores_real, scores_fake))
        if self.gap_aware:
            loss = self._mean(torch.stack(losses).mean(0))
            self.optimizer_d.param_groups[0]["lr"] = self._rates()[0] * self.gap_aware.factor(loss)

    def _generator_loss(self) -> Tensor:
        n = self._size_g
        real: Tensor | None = None
        y: Sequence[Tensor] = ()
        if self.data.conditions and (self.loss.paired or self._reconstructs):
            real, *y = self._batch(n)  # pairs of a real and a fake of the same condition
        elif self.data.conditions:
            y = self._conditions(n)
        fake = self._forward_g(self._latents(n), *y)
        if real is None or not self._reconstructs:
            return self._adversarial_loss(n, fake, real, y)
        kind, weight = self.training.reconstruction, self.training.reconstruction_weight
        error = weight * reconstruction(self.task, kind, fake, real, self._batch_axis)
        return error if self._alone else error + self._adversarial_loss(n, fake, real, y)

    def _adversarial_loss(self, n: int, fake: Tensor, real: Tensor | None, y: Sequence[Tensor]) -> Tensor:
        """G's loss of what D says of (B, ...) fakes with conditions y, beside reals where the loss needs them."""
        if self.augmentation:
            fake = self._augmented(fake, n)
        if self.training.instance_noise:
            fake = self._noisy(fake, n)
        scores, error = self._judged(self._forward_d, fake, *y)
        scores_real = scores
        if self.loss.paired:
            with torch.no_grad():
                real = self._batch(n)[0] if real is None else real
                real = self._augmented(real, n) if self.augmentation else real
                real = self._noisy(real, n) if self.training.instance_noise else real
                scores_real = self._scores(self._forward_d, real, *y)
        if self.training.top_k < 1:
            count = fake.shape[self._batch_axis]
            scores, scores_real = best_of(scores, scores_real, count, self._kept(count))
        loss = self.loss.g(scores, scores_real)
        return loss + self._auxiliary * error if self._auxiliary else loss

    def _kept(self, n: int) -> int:
        """How many of n fakes G learns from now: those that D scores highest (Sinha et al. 2020, algorithm 1)."""
        training = self.training
        falling = training.top_k_anneal * training.updates
        share = training.top_k ** min(1.0, self.updates / falling) if falling else training.top_k
        return max(1, round(share * n))

    def _gradient(
        self,
        optimizer: torch.optim.Optimizer | RowOptimizer,
        scaler: torch.amp.GradScaler | None,
        loss_of: Callable[[], Tensor],
        n: int,
    ) -> Tensor:
        """Gives the optimizer's parameters the gradient of a loss of n samples; returns the loss, detached.

        With `accumulate` it is the mean over so many batches of n, of which one at a time is in memory.
        """
        batches, parameters = self.training.accumulate, optimizer.param_groups[0]["params"]
        for parameter in parameters:
            parameter.grad = None  # as zero_grad() does, which takes ten times as long for small networks
        share = self._share(n) / batches
        loss = self._backward(loss_of(), share, scaler)
        if batches > 1:
            losses = [loss, *(self._backward(loss_of(), share, scaler) for _ in range(batches - 1))]
            loss = torch.stack(losses).mean(0)
        mean = self._exchanged(parameters, loss, n)
        if scaler and isinstance(optimizer, torch.optim.Optimizer):
            scaler.unscale_(optimizer)
        if self._clips:
            self._clip(parameters)
        return mean

    def _clip(self, parameters: Sequence[Tensor]) -> None:
        """Shortens a network's gradient to a 2-norm of `clip_grad` at most (Pascanu et al. 2013, algorithm 1)."""
        nn.utils.clip_grad_norm_(parameters, self.training.clip_grad)

    def _backward(self, loss: Tensor, share: float, scaler: torch.amp.GradScaler | None) -> Tensor:
        """Adds the gradient of a share of a loss, of several the gradients of each; returns the loss, detached."""
        if self._ones.shape != loss.shape:
            self._ones = torch.ones_like(loss)
        begin = self._ones if share == 1 else self._ones * share
        loss.backward(scaler.scale(begin) if scaler else begin)
        return loss.detach()

    def _scores(self, forward: Forward, samples: Tensor, *conditions: Tensor) -> Tensor:
        return forward(samples, *conditions).flatten(self._batch_axis)

    def _judged(self, forward: Forward, samples: Tensor, *conditions: Tensor) -> tuple[Tensor, Tensor | float]:
        """D's scores, and with `auxiliary` the mean cross-entropy of the classes that it names, else 0.

        AC-GAN (Odena et al. 2017, arXiv 1610.09585, equations 2 and 3): D maximises L_S + L_C and G L_C - L_S, where
        L_S is the loss of the scores and L_C the log-likelihood of the classes of reals and of fakes.
        """
        if not self._auxiliary:
            return self._scores(forward, samples, *conditions), 0.0
        outputs = forward(samples, *conditions, logits=True)
        classes = conditions[0].flatten()
        errors = F.cross_entropy(outputs[..., 1:].flatten(0, -2), classes, reduction="none")
        return outputs[..., 0], errors.view(conditions[0].shape).mean(-1)

    def _share(self, n: int) -> float:
        """The share of a batch of n that this process trains on."""
        return 1.0

    def _exchanged(self, parameters: Sequence[Tensor], loss: Tensor, n: int) -> Tensor:
        """Makes the gradients those of the whole batch of n; returns its loss, of which this process knows `loss`."""
        return loss

    def _whole(self, scores: Tensor) -> Tensor:
        """The scores of all D's batches; more than these where other processes train on the rest of them."""
        return scores

    def _mean(self, loss: Tensor) -> Tensor:
        """The loss of the whole batch; the mean of this one and theirs where other processes train on the rest."""
        return loss

    def _rates(self) -> tuple[float, float]:
        """(lr_D, lr_G) now."""
        rate_d, rate_g = self.schedule.rates
        decay, budget = self.training.lr_decay, self.training.updates
        left = min(1.0, (budget - self.updates) / (decay * budget)) if decay else 1.0
        return rate_d * left, rate_g * left
