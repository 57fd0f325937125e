"""A log of a GAN's training as numbers: what every reader returns, and what every rule judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Loss = Literal["bce", "hinge", "lsgan", "wgan"]
"""The family of the adversarial losses; softplus and minimax losses are `bce`."""
Halves = Literal["sum", "mean"]
"""Whether D's loss is the sum of its two halves, for real and for fake samples, or their mean."""

ROLES = {
    "d_loss": "D's loss, without penalties",
    "d_loss_real": "its half for real samples",
    "d_loss_fake": "its half for fake samples",
    "g_loss": "G's adversarial loss, without reconstruction terms",
    "g_total": "G's whole loss, where others are part of it",
    "p_real": "mean probability of real of real samples, D(x)",
    "p_fake": "mean probability of real of fake samples before D's step, D(G(z))",
    "p_fake_after": "the same after D's step",
    "score_real": "mean raw score of real samples",
    "score_fake": "mean raw score of fake samples",
    "score_real_std": "standard deviation of the raw scores of real samples",
    "score_fake_std": "standard deviation of the raw scores of fake samples",
    "sign_real": "mean sign of the scores of real training samples, r_t of Karras et al. 2020",
    "sign_fake": "mean sign of the scores of fake samples",
    "accuracy": "D's accuracy, in [0, 1]",
    "accuracy_real": "D's accuracy on real samples, in [0, 1]",
    "accuracy_fake": "D's accuracy on fake samples, in [0, 1]",
    "penalty": "a gradient penalty, weighted as it is printed",
    "reconstruction": "the sum of G's other terms: L1, mel, cycle, perceptual",
    "lr_d": "D's learning rate",
    "lr_g": "G's learning rate",
    "augment": "probability of augmentation, p of Karras et al. 2020",
}
"""The roles of columns in a game."""


@dataclass(frozen=True)
class Game:
    """One discriminator against one generator."""

    name: str
    """Empty for the only one of a log; else what tells it from the others, such as `A`."""
    columns: Mapping[str, str]
    """By role the name of the column in the file, or several names joined by " + "."""
    values: Mapping[str, np.ndarray]
    """By role the (N,) values, float64, NaN where none was printed; what was printed as nan or inf is that."""
    printed: Mapping[str, np.ndarray]
    """By role the (N,) booleans of what was printed, which tells a printed nan from a blank."""
    loss: Loss | None = None
    halves: Halves | None = None
    loss_source: str = ""
    """How the loss is known: `--loss`, a file beside the log, the format, the names of columns, or the values."""


@dataclass(frozen=True)
class TrainingLog:
    """One run. Of runs that were appended to each other the last one."""

    file: str
    format: str
    """What it was read as, in words, such as `lines of pytorch/examples dcgan`."""
    steps: np.ndarray
    """(N,) float64: updates, iterations or epochs as the log counts them, rising; else the number of the record."""
    lines: np.ndarray
    """(N,) int64: line of the file, from 1, on which each record begins; of a file without lines the record."""
    games: tuple[Game, ...]
    step_name: str = "step"
    """`step`, `epoch`, `kimg` or `line`."""
    epochs: np.ndarray | None = None
    """(N,) float64: epochs done, from 0, where steps are counted within them; None where they are not."""
    metrics: Mapping[str, np.ndarray] = field(default_factory=dict)
    """(N,) values of FID, KID, IS and the like by the names of their columns."""
    broken_metrics: tuple[str, ...] = ()
    """Metrics of which the last that was printed is nan or infinite."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Of the files beside the log, what concerns the training."""
    runs: int = 1
    """Runs in the file."""
    notes: tuple[str, ...] = ()
    """What was left out, repeated, cut off or not understood, a sentence each."""

    @property
    def records(self) -> int:
        """The number of records."""
        return len(self.steps)

    @property
    def time(self) -> np.ndarray:
        """(N,) how far the training is, as it counts itself: steps, else epochs with their parts, else records.

        A record that counts an epoch alone is at its end.
        """
        if self.epochs is not None:
            return self.epochs
        if self.step_name != "epoch" or not self.records:
            return self.steps
        rises = np.diff(self.steps)
        part = min(1.0, float(rises[rises > 0].min())) if (rises > 0).any() else 1.0
        return self.steps - np.floor(self.steps[0]) + part
