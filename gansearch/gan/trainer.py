"""The trainer: one GAN, one configuration, one seed, probe by probe."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gansearch.experiment import Training
from gansearch.gan.balance.controller import BalanceController
from gansearch.gan.balance.gap_aware import GapAwareRate
from gansearch.gan.balance.schedule import Schedule
from gansearch.gan.data import data_of
from gansearch.gan.evaluation import Evaluated
from gansearch.gan.graphs import Graphs
from gansearch.gan.networks import (
    Frozen,
    discriminator_of,
    generator_of,
    make_weights,
    refuse_classifier,
    scores_are_independent,
)
from gansearch.gan.probe_schedule import ProbeSchedule
from gansearch.gan.result import Probe, Result
from gansearch.gan.rng import RandomState, restore
from gansearch.gan.ruling import MOST_SAMPLES, ruling_of
from gansearch.gan.task import Task
from gansearch.gan.updates.augment import Augmentation
from gansearch.gan.updates.average import Average
from gansearch.gan.updates.capture import refusal
from gansearch.gan.updates.forward import forward_of, refuse_shape, scaler_of
from gansearch.gan.updates.losses import LOSSES, add_spectral_norm
from gansearch.gan.updates.optimizers import optimizer_of
from gansearch.gan.updates.reconstruction import refuse_reconstruction
from gansearch.gan.updates.updates import Updates
from gansearch.stability.monitor import StabilityMonitor
from gansearch.stability.transfer import own_memory, to_host
from gansearch.stability.verdict import hopeless
from gansearch.stability.window import Window


class Trainer(Evaluated):
    """Trains a task's GAN with one seed: a `gansearch.gan.SeedTrainer`.

    `for probe in trainer.run(): ...` and then `trainer.result()`. On a CPU a training that was continued from `state()`
    equals an unbroken one bit for bit. `prune` ends a run that is beyond hope.
    """

    graphs: Graphs | None

    def __init__(
        self, task: Task, training: Training, seed: int = 0, device: str | torch.device = "cpu", prune: bool = False
    ):
        self.task, self.training, self.seed, self.prune = task, training, seed, prune
        self.device = torch.device(device)
        self.data = data_of(task, self.device)
        refuse_shape(training, self.data.held_out.shape[1:])
        refuse_reconstruction(task, training, self.data)
        self.loss = LOSSES[training.loss]
        # Probes have random numbers of their own, so that they do not change the training; layers draw from torch's.
        self.draws = torch.Generator(self.device).manual_seed(seed)
        self.probe_draws = torch.Generator(self.device).manual_seed(seed + 1_000_003)
        self.random_state = RandomState(seed, self.device)
        with self.random_state:
            self.generator = self._prepared(generator_of(task, bool(self.data.conditions)), (task.latent_dim,))
            discriminator = discriminator_of(task, training.packing, bool(self.data.conditions))
            self.discriminator = self._prepared(discriminator, self.data.held_out.shape[1:])
            if training.spectral_norm:
                add_spectral_norm(self.discriminator)
            if training.auxiliary:
                refuse_classifier(self.discriminator, self.data.classes, *self.data.first(8))
            # Of a batch that is no multiple of the packing one pack would be of reals and fakes.
            self._one_pass = training.packing == 1 and scores_are_independent(self.discriminator, *self.data.first(8))
        self.average = Average(self.generator) if training.averages else None
        self.schedule = Schedule(training)
        self.optimizer_d = optimizer_of(training, self.discriminator.parameters(), self.schedule.rates[0], self.device)
        self.optimizer_g = optimizer_of(training, self.generator.parameters(), self.schedule.rates[1], self.device)
        self.scaler_d, self.scaler_g = scaler_of(training, self.device), scaler_of(training, self.device)
        if training.balance == "held":
            self.balance = BalanceController(training.target_separability)
        if training.balance == "gap_aware":
            self.gap_aware = GapAwareRate(self.loss.ideal(training.label_smoothing))
        if training.augment != "none":
            self.augmentation = Augmentation(training, self.device)
        self.monitor = StabilityMonitor("logit" if self.loss.output == "relativistic" else self.loss.output)  # type: ignore[arg-type]
        self.d_updates = self.g_updates = self._probed = 0
        self.seconds = 0.0
        self.quality: dict[str, float] = {}
        self._measured_at = -1
        self.stopped = ""
        self.stacked: Updates | None = None  # whose rows its networks are, until others are made of them
        self._probes = ProbeSchedule(training.updates)
        self._losses, self._answers = ([], []), []
        self._forward_d = forward_of(self.discriminator, training, self.device)
        self._forward_g = forward_of(self.generator, training, self.device)
        self._frozen_d, self._frozen_g = Frozen(self.discriminator), Frozen(self.generator, gradients=False)
        self._probed_d, self._probed_g = (Frozen(one, False, False) for one in (self.discriminator, self.generator))
        self._resolve()
        self.graphs = Graphs(self, self.draws, refusal(training, self.device)) if training.graph else None

    def run(self) -> Iterator[Probe]:
        """Trains to the end of the budget, yielding a probe about every 50th of it.

        Ends early when scores or losses are no longer finite, or, with `prune`, when the run is beyond hope;
        `stopped` then says why.
        """
        while self.continues():
            until = self.next_probe()
            with self._active():
                while self.updates < until:
                    self.step()
            yield self.probe()

    def next_probe(self) -> int:
        """The update after which the next probe is due, which may be done already."""
        return self._probes.next(self._probed)

    def probe(self) -> Probe:
        """Takes a probe of the run as it is, and decides whether the run continues."""
        with self._active():
            row, observed = self._observe()
            self._probed = self.updates
            means = [torch.stack(losses).mean() if losses else None for losses in self._losses]
            self._losses = ([], [])
            counts = self.monitor.histograms() if self._probes.counts_answers(self.updates) else None
            table = self.monitor.table() if self.prune else None
            adapted = (self.augmentation.r_t, self.augmentation.p) if self.augmentation else (None, None)
            # Here, once, the host waits for the device.
            row, table, counts, *numbers = to_host(row, table, counts, *means, *observed, *adapted)
            now = Window.of(row.double())
            loss_d, loss_g, norm_d, norm_g, error, r_t, p = (math.nan if n is None else float(n) for n in numbers)
            invalid = any(one is not None and not one.isfinite() for one in numbers[:2])
            if invalid:
                self.monitor.mark_invalid()
            if self.prune or now.invalid or invalid:
                # A pretrained D is certain and right: that says nothing before G has had its turn.
                before = self.training.before
                probed = self.monitor.rows() if table is None or invalid else Window.all_of(table)
                rows = [row for row in probed if row.step > before or row.invalid]
                self.stopped = hopeless(rows, self.share) or ""
            return Probe(
                update=self.updates,
                loss_d=loss_d,
                loss_g=loss_g,
                p_real=now.mean_p_real,
                p_fake=now.mean_p_fake,
                saturated_right=now.saturated_right(),
                saturated_wrong=now.saturated_wrong(),
                separability=now.mean_separability,
                grad_norm_d=norm_d,
                grad_norm_g=norm_g,
                distance=self._due_distance(),
                r_t=r_t,
                augment_p=p,
                held_out_gap=now.mean("held_out_gap"),
                reconstruction=error,
                outputs=None if counts is None else dict(zip(("real", "fake"), counts.tolist(), strict=True)),
            )

    def result(self) -> Result:
        """Judges the run as far as it went: a referee sees its samples, and the quality is measured.

        A run that was stopped is judged by D's answers alone: a referee would train longer than it did.
        """
        with self._active():
            probed = self.monitor.rows()
            fake = self.samples(min(MOST_SAMPLES, max(len(self.data.held_out), 100)))
            diverged = not probed or any(row.invalid for row in probed) or not bool(fake.isfinite().all())
            ruling = None if diverged or self.stopped else ruling_of(self.task, self.data, fake, self.samples)
            if not diverged and self._measured_at != self.updates:
                self._measure()
            distance = self.quality.get("distance", math.nan) if not diverged else math.nan
            if not math.isfinite(distance):
                self.monitor.mark_invalid()
            scored_from = (self.training.updates + self.training.before) // 2
            report = self.monitor.report(since=scored_from, ruling=ruling)
        return Result.judged(
            report,
            seed=self.seed,
            stopped=self.stopped,
            updates=self.updates,
            distance=distance,
            quality=self.quality,
            train_seconds=self.seconds,
            samples=fake.cpu().numpy(),
        )

    def continues(self) -> bool:
        """Whether it was not stopped, and has updates or the probe after them left to do."""
        return self._probed < self.training.updates and not self.stopped

    @property
    def share(self) -> float:
        """Share of the updates after pretraining that are done, in [0, 1]."""
        before = self.training.before
        return max(0, self.updates - before) / (self.training.updates - before)

    @property
    def stability(self) -> float:
        """The stability score if the run ended now, without a referee; takes some ms."""
        since = (self.updates + min(self.updates, self.training.before)) // 2
        return self.monitor.report(since).stability

    def standing(self) -> tuple[float, float]:
        """(stability, distance) as they are now, without a referee, to compare runs part way by."""
        with self._active():
            self._measure()
        return self.stability, self.quality["distance"]

    def copy_files(self, folder: Path) -> None:
        """Does nothing: a training of ours saves no files."""

    def records(self) -> dict[str, str]:
        """Returns none: a training of ours prints nothing."""
        return {}

    def remark(self, searched: Iterable[str] = ()) -> str:
        """Returns why updates are made without graphs where `training.graph` asks for them; else nothing."""
        graphs = (self.stacked and self.stacked.row_graphs) or self.graphs
        return graphs.remark() if graphs else ""

    def state(self) -> dict[str, Any]:
        """Everything that `load_state` needs; for torch.save and torch.load(weights_only=True)."""
        return {
            "average": None,
            **{name: own_memory(part.state_dict()) for name, part in self._parts().items()},
            "gradients": {
                name: [None if p.grad is None else p.grad.clone() for p in network.parameters()]
                for name, network in (("d", self.discriminator), ("g", self.generator))
            },
            "draws": self.draws.get_state(),
            "looks": self.probe_draws.get_state(),
            "global": dict(self.random_state.state),
            "schedule": self.schedule.state(),
            "balance": self.balance.state() if self.balance else None,
            "gap_aware": self.gap_aware.state() if self.gap_aware else None,
            "augment": self.augmentation.state() if self.augmentation else None,
            "monitor": self.monitor.state(),
            "updates": (self.d_updates, self.g_updates),
            "losses": [torch.stack(losses) if losses else torch.empty(0) for losses in self._losses],
            "quality": dict(self.quality),
            "measured_at": self._measured_at,
            "stopped": self.stopped,
            "seconds": self.seconds,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Continues from the `state()` of a trainer with the same task, training and seed.

        Only what the schedule says of later updates may differ.
        """
        state, self.stacked = copy.deepcopy(state), None
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        for name, network in (("d", self.discriminator), ("g", self.generator)):
            for parameter, gradient in zip(network.parameters(), state["gradients"][name], strict=True):
                parameter.grad = None if gradient is None else gradient.to(self.device)
        since = self.seed + sum(state["updates"])
        restore(self.draws, state["draws"], since)
        restore(self.probe_draws, state["looks"], since + 1_000_003)
        self.random_state.load_state(state["global"])
        self.schedule.load_state(state["schedule"])
        if self.balance:
            self.balance.load_state(state["balance"], self.device)
            self.balance.target = self.schedule.target_separability
        if self.gap_aware:
            self.gap_aware.load_state(state["gap_aware"], self.device)
        if self.augmentation:
            self.augmentation.load_state(state["augment"], self.device)
        self.monitor.load_state(state["monitor"])
        self.d_updates, self.g_updates = state["updates"]
        self._probed = self.updates
        self._losses = tuple(list(losses.to(self.device).unbind()) for losses in state["losses"])  # type: ignore[assignment]
        self.quality, self.stopped, self.seconds = state["quality"], state["stopped"], state["seconds"]
        self._measured_at = state.get("measured_at", -1)
        if self.graphs:
            self.graphs.forget()

    def _parts(self) -> dict[str, Any]:
        """All that has a state_dict, by its name in `state()`."""
        names = ("generator", "discriminator", "average", "optimizer_d", "optimizer_g", "scaler_d", "scaler_g")
        return {name: part for name in names if (part := getattr(self, name)) is not None}

    def _prepared(self, network: nn.Module, shape: Sequence[int]) -> nn.Module:
        """A fresh network of the task's, of (B, *shape) inputs, as it is trained."""
        make_weights(network.to(self.device), shape, self.device, self.data.conditions)
        if self.training.channels_last:  # convolutions give their samples the order of their weights
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network.train()

    @contextmanager
    def _active(self) -> Iterator[None]:
        """Counts the seconds, and gives layers the run's own random numbers."""
        start = time.perf_counter()
        with self.random_state:
            yield
        self.seconds += time.perf_counter() - start

    def _drawn(self, n: int, draw: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        return draw(n, self.draws)

    def _made(self, n: int) -> tuple[Tensor, ...]:
        return self.data.reals(n, self.draws)

    def _due_distance(self) -> float:
        """The distance where one of the run's measurements is due, else NaN."""
        if self.stopped or not self._probes.measures_quality(self.updates):
            return math.nan
        self._measure()
        return self.quality.get("distance", math.nan)
