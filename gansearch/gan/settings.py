"""What the trainer reads of an experiment, as a protocol: this package does not import the experiment file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Training(Protocol):
    """What the trainer reads of an experiment's training section (`gansearch.experiment.Training`)."""

    @property
    def loss(self) -> str:
        """A name of `gansearch.gan.losses.LOSSES`."""

    @property
    def updates(self) -> int:
        """The budget: updates of D and G together."""

    @property
    def batch_size(self) -> int:
        """Samples of each kind in an update."""

    @property
    def rates(self) -> tuple[float, float]:
        """(lr_D, lr_G) at the beginning."""

    @property
    def pretrain_steps(self) -> int:
        """D updates before G's first one."""

    @property
    def update_ratio(self) -> float:
        """D updates per G update."""

    @property
    def balance(self) -> str:
        """What decides whose turn it is, and D's rate: "fixed", "held" or "gap_aware"."""

    @property
    def target_separability(self) -> float:
        """What a held balance aims at, in [0.5, 1)."""

    @property
    def optimizer(self) -> str:
        """The name of the optimizer: "adam" or "sgd"."""

    @property
    def adam_betas(self) -> tuple[float, float]:
        """Adam's decay rates."""

    @property
    def lr_decay(self) -> float:
        """Last share of the updates over which both rates fall linearly to 0."""

    @property
    def r1_gamma(self) -> float:
        """γ of R1; 0 is off."""

    @property
    def r2_gamma(self) -> float:
        """γ of R2; 0 is off."""

    @property
    def gp_lambda(self) -> float:
        """λ of WGAN-GP's penalty; 0 is off."""

    @property
    def spectral_norm(self) -> bool:
        """Whether D's weights are divided by their largest singular value."""

    @property
    def instance_noise(self) -> float:
        """Standard deviation of the noise on D's samples at the beginning; falls linearly to 0."""

    @property
    def label_smoothing(self) -> float:
        """D's target for reals is 1 minus this."""

    @property
    def ema(self) -> float:
        """Decay of the average of G's weights per update; 0 is off."""

    @property
    def simultaneous(self) -> bool:
        """Whether both gradients are taken at the same parameters."""

    @property
    def sync_batch_norm(self) -> bool:
        """Whether batch norm uses the samples of all processes."""

    @property
    def segments(self) -> Sequence[tuple[int, float, float, float, float]]:
        """(updates before it, lr_D, lr_G, update ratio, target separability) of each stretch of a run."""
