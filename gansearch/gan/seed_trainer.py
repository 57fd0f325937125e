"""The training of one seed behind one protocol, be it our trainer or a loop of the user's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from gansearch.experiment import LoopTraining, Training
from gansearch.gan.loop.task import Loop
from gansearch.gan.loop.trainer import LoopTrainer
from gansearch.gan.result import Probe, Result
from gansearch.gan.task import Task, Trainable
from gansearch.gan.trainer import Trainer


class SeedTrainer(Protocol):
    """One configuration that is trained with one seed: what `Trainer` and `LoopTrainer` have in common.

    `for probe in trainer.run(): ...` and then `trainer.result()`. Between two probes the training may be stopped, saved
    by `state()`, and continued from it by another trainer of the same configuration.
    """

    seed: int
    seconds: float
    """Time spent in training, probes and judgement so far, in seconds."""
    stopped: str
    """Why the training ends before its budget; empty while it goes on. May be set between two probes."""
    prune: bool
    """Whether it ends where it is beyond hope. May be set between two probes."""

    @property
    def task(self) -> Trainable:
        """What is trained."""

    @property
    def updates(self) -> int:
        """D and G updates done so far."""

    @property
    def share(self) -> float:
        """Share of the budget that is done, in [0, 1]."""

    @property
    def stability(self) -> float:
        """The stability score if the training ended now, without a referee."""

    def run(self) -> Iterator[Probe]:
        """Trains to the end of the budget, or until `stopped`, and yields each probe."""

    def standing(self) -> tuple[float, float]:
        """(stability, distance) as they are now, without a referee."""

    def result(self) -> Result:
        """Judges the training as far as it went."""

    def samples(self, n: int) -> Tensor:
        """(n, ...) fakes, float32; of a loop the last that it reported, which may be fewer, and (0,) for none."""

    def conditions(self, n: int) -> Tensor | None:
        """(n, ...) conditions of the fakes that `samples(n)` gives; None where there are none."""

    def training_distance(self) -> float:
        """The distance of as many training reals as are held out from fresh fakes; NaN where it has no networks."""

    def final_generator(self) -> nn.Module | None:
        """The generator to export, (B, latent_dim) and conditions if any -> (B, ...); None where a loop keeps it."""

    def copy_files(self, folder: Path) -> None:
        """Copies what the training itself has saved, if anything, into `folder`, which is made. Raises OSError."""

    def records(self) -> dict[str, str]:
        """Texts about the run that belong in its trial's folder, by file name; of our own trainers none."""

    def remark(self, searched: Iterable[str] = ()) -> str:
        """What the user should know of this training, empty if nothing; `searched` are the names of a search."""

    def state(self) -> dict[str, Any]:
        """Everything that `load_state` needs, for torch.save and torch.load(weights_only=True)."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Continues from the `state()` of a trainer with the same task, training and seed."""


def trainer_for(
    task: Task | Loop, training: Training, seed: int = 0, device: str | torch.device = "cpu", prune: bool = False
) -> SeedTrainer:
    """The trainer of a task, or of a loop of the user's own, whose `training` is an experiment's `LoopTraining`."""
    if isinstance(task, Loop):
        return LoopTrainer(task, cast(LoopTraining, training), seed, device, prune)
    return Trainer(task, training, seed, device, prune)
