"""What a training is seen by: its samples, its probes and the measurements of its quality."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gansearch.gan.conditions import is_paired, quality_of
from gansearch.gan.networks import Frozen, gradient_norm, parts
from gansearch.gan.updates.average import Average
from gansearch.gan.updates.reconstruction import held_out_error
from gansearch.gan.updates.updates import Updates
from gansearch.stability.measures import per_sample, relativistic
from gansearch.stability.monitor import StabilityMonitor
from gansearch.stability.transfer import to_host

PROBE_SAMPLES = 256
"""Most samples of each kind in a probe."""
SEEN_SAMPLES = 64
"""Training reals in a probe, which show a D that memorises."""


class Evaluated(Updates):
    """The training of one seed, as it is seen between its updates.

    Its random numbers are its own, `probe_draws`, so that a look does not change the training. The monitor takes what a
    probe sees, and `quality` has what was measured last, after `_measured_at` updates.
    """

    generator: nn.Module
    discriminator: nn.Module
    average: Average | None
    monitor: StabilityMonitor
    probe_draws: torch.Generator
    quality: dict[str, float]
    _measured_at: int
    _probed_d: Frozen
    _probed_g: Frozen

    def samples(self, n: int, *conditions: Tensor) -> Tensor:
        """(n, ...) fakes, float32 on the device, from `final_generator` in evaluation mode.

        Where there are conditions, they have these (n, ...) ones, or without any those of `data.repeated(n)`.
        """
        network, given = self.final_generator(), conditions or self.data.repeated(n)
        network.eval()
        with torch.no_grad():
            sizes = parts(n)
            split = zip(*(part.split(sizes) for part in given), strict=True) if given else ((),) * len(sizes)
            made = [network(self._probe_latents(size), *y) for size, y in zip(sizes, split, strict=True)]
        network.train()
        return torch.cat(made).detach().float()

    def conditions(self, n: int) -> Tensor | None:
        """(n, ...) conditions of the fakes that `samples(n)` gives; None where there are none."""
        return next(iter(self.data.repeated(n)), None)

    def training_distance(self) -> float:
        """The distance of as many training reals as there are held-out ones, which chose nothing, from fresh fakes.

        It takes none of the probes' random numbers: asked twice in a row, of two generators, it has the same reals and
        latents for both, so that they are compared in pairs.
        """
        draws = self.probe_draws.get_state()
        try:
            real, *y = self.data.reals(len(self.data.held_out), self.probe_draws)
            fake = self.samples(len(real), *y)
        finally:
            self.probe_draws.set_state(draws)
        if not bool(fake.isfinite().all()):
            return math.nan
        return quality_of(self.task, *to_host(real, fake, *y))["distance"]

    def final_generator(self) -> nn.Module:
        """The generator to export, (B, latent_dim), conditions -> (B, ...): the averaged one where there is one."""
        return self.generator if self.average is None else self.average.module

    def _probe_latents(self, n: int) -> Tensor:
        """(n, latent_dim) latents that leave the training's random numbers alone."""
        return torch.randn(n, self.task.latent_dim, generator=self.probe_draws, device=self.device)

    def _observe(self) -> tuple[Tensor, list[Tensor | None]]:
        """Gives a probe's scores and samples to the monitor; the row that it adds, and three numbers.

        These are the gradients' norms of D and G, and with pairs the reconstruction of held-out ones. Never waits for
        the device.
        """
        real, *y = self.data.first(PROBE_SAMPLES)
        with torch.no_grad(), self._probed_d, self._probed_g:
            fake = self.generator(self._probe_latents(len(real)), *y)
            scores_fake, scores_real = (per_sample(self.discriminator(samples, *y)) for samples in (fake, real))
            seen = None
            if self.data.real is not None:  # without an end of data D has seen nothing twice
                seen = per_sample(self.discriminator(*self.data.reals(min(SEEN_SAMPLES, len(real)), self.probe_draws)))
            if self.loss.output == "relativistic":
                seen = None if seen is None else relativistic(seen, scores_fake)[0]
                scores_real, scores_fake = relativistic(scores_real, scores_fake)
            numbers = [gradient_norm(network) for network in (self.discriminator, self.generator)]
            kind, paired = self.training.reconstruction, is_paired(self.task)
            numbers.append(held_out_error(self.task, kind, fake, real) if paired else None)
            row = self.monitor.update(
                *(scores_real, scores_fake, self.updates, numbers[1]),
                seen=seen,
                samples=(self.task.embedding(real), self.task.embedding(fake)),
            )
        return row, numbers

    def _measure(self) -> None:
        """Takes the task's quality measure of the held-out reals and as many fakes."""
        real, fake, *y = to_host(self.data.held_out, self.samples(len(self.data.held_out)), *self.data.conditions)
        measured = {"distance": math.nan}
        if bool(fake.isfinite().all()):
            measured = quality_of(self.task, real, fake, *y)
            if is_paired(self.task):
                error = held_out_error(self.task, self.training.reconstruction, fake, real)
                measured["reconstruction"] = float(error)
        self.quality = {"samples": float(len(fake)), **measured}
        self._measured_at = self.updates
