"""The trainer: one GAN, one configuration, one seed, probe by probe."""

from __future__ import annotations

import bisect
import copy
import math
import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from gansearch.gan.balance.controller import BalanceController
from gansearch.gan.balance.gap_aware import GapAwareRate
from gansearch.gan.balance.schedule import Schedule
from gansearch.gan.data import data_of
from gansearch.gan.losses import LOSSES, add_spectral_norm
from gansearch.gan.networks import discriminator_of, gradient_norm, scores_samples_alone
from gansearch.gan.result import Probe, Result
from gansearch.gan.rng import OwnRandomness
from gansearch.gan.settings import Training
from gansearch.gan.still import Still
from gansearch.gan.task import Task
from gansearch.gan.updates import Updates
from gansearch.stability.measures import relativistic
from gansearch.stability.monitor import StabilityMonitor, window
from gansearch.stability.referee import referee, rule
from gansearch.stability.verdict import hopeless

PROBES = 50
"""Probes of a run, spread over its updates."""
PROBE_SAMPLES = 256
"""Most samples of each kind in a probe."""
SEEN_SAMPLES = 64
"""Training reals in a probe, which show a D that memorises."""
MEASUREMENTS = 4
"""Measurements of the quality during a run, the last one at its end."""
HISTOGRAMS = 10
"""Probes of a run that count D's answers, evenly over it; fewer in a very short one."""
KEPT_SAMPLES = 2_000
"""Most fakes that a result keeps, and that a referee sees of each kind."""


class Trainer(Updates):
    """Trains a task's GAN. `for probe in trainer.run(): ...` and then `trainer.result()`.

    Whoever drives it may stop between probes, save `state()` and go on from it elsewhere: on a CPU the resumed run
    equals an unbroken one bit for bit. `prune` ends a run that is beyond hope.
    """

    generator: nn.Module
    discriminator: nn.Module

    def __init__(
        self, task: Task, training: Training, seed: int = 0, device: str | torch.device = "cpu", prune: bool = False
    ):
        self.task, self.training, self.seed, self.prune = task, training, seed, prune
        self.device = torch.device(device)
        self.data = data_of(task, self.device)
        self.loss = LOSSES[training.loss]
        # Draws of the training, of the probes (so that looking changes nothing), and of layers such as dropout.
        self.draws = torch.Generator(self.device).manual_seed(seed)
        self.looks = torch.Generator(self.device).manual_seed(seed + 1_000_003)
        self.randomness = OwnRandomness(seed, self.device)
        with self.randomness:
            self.generator, self.discriminator = self._made(task.generator()), self._made(discriminator_of(task))
            if training.spectral_norm:
                add_spectral_norm(self.discriminator)
        self.average = (
            AveragedModel(self.generator, multi_avg_fn=get_ema_multi_avg_fn(training.ema), use_buffers=True)
            if training.ema
            else None
        )
        self.schedule = Schedule(training)
        lr_d, lr_g = self.schedule.rates
        self.optimizer_d, self.optimizer_g = (
            self._optimizer(self.discriminator, lr_d),
            self._optimizer(self.generator, lr_g),
        )
        held, gap_aware = training.balance == "held", training.balance == "gap_aware"
        self.balance = BalanceController(training.target_separability) if held else None
        self.gap_aware = GapAwareRate(self.loss.ideal(training.label_smoothing)) if gap_aware else None
        self.monitor = StabilityMonitor("logit" if self.loss.output == "relativistic" else self.loss.output)  # type: ignore[arg-type]
        self.d_updates = self.g_updates = 0
        self.seconds = 0.0
        self.quality: dict[str, float] = {}
        self.stopped = ""
        self._probed_at = probe_updates(training.updates)
        self._losses: tuple[list[Tensor], list[Tensor]] = ([], [])  # of D and G since the last probe
        self._still_d, self._still_g = Still(self.discriminator), Still(self.generator)
        self._look_d, self._look_g = Still(self.discriminator, dropout=False), Still(self.generator, dropout=False)
        with self.randomness:
            self._one_pass = scores_samples_alone(self.discriminator, self.data.held_out[:8])

    def run(self) -> Iterator[Probe]:
        """Trains to the end of the budget, yielding a probe about every 50th of it.

        Ends early when scores or losses are no longer finite, or, with `prune`, when the run is beyond hope;
        `stopped` then says why.
        """
        while self._goes_on():
            self._train_to_probe()
            yield self.probe()

    def next_probe(self) -> int:
        """The update after which the next probe is due."""
        return self._probed_at[bisect.bisect_right(self._probed_at, self.updates)]

    def probe(self) -> Probe:
        """A look at the run as it stands; decides whether it goes on."""
        start = time.perf_counter()
        with self.randomness:
            probe = self._probe()
        self.seconds += time.perf_counter() - start
        return probe

    @property
    def share(self) -> float:
        """Of the updates after pretraining, how many are done; 0 before."""
        before = self.training.pretrain_steps
        return max(0, self.updates - before) / (self.training.updates - before)

    @property
    def stability(self) -> float:
        """What the run would score if it ended now, without a referee: some ms, for those who look on."""
        since = (self.updates + min(self.updates, self.training.pretrain_steps)) // 2
        return self.monitor.report(since).stability

    def standing(self) -> tuple[float, float]:
        """(stability, distance) as they are now, without a referee: little work, to compare runs part way by."""
        start = time.perf_counter()
        with self.randomness:
            distance = self._measure()["distance"]
        self.seconds += time.perf_counter() - start
        return self.stability, distance

    def samples(self, n: int) -> Tensor:
        """(n, ...) fakes on the device, from the averaged generator where there is one, in evaluation mode."""
        network = self.final_generator()
        network.eval()
        with torch.no_grad():
            parts = [network(self._fresh(min(1_000, n - i))) for i in range(0, n, 1_000)]
        network.train()
        return torch.cat(parts).detach().float()

    def final_generator(self) -> nn.Module:
        """The generator to export, (B, latent_dim) -> (B, ...): the averaged one where there is one."""
        return self.generator if self.average is None else self.average.module

    def copy_files(self, folder: Path) -> None:
        """Nothing: a training of ours saves no files."""

    def remark(self, searched: Iterable[str] = ()) -> str:
        """Empty: there is nothing that the user should know of a training of ours."""
        return ""

    def result(self) -> Result:
        """Judges the run as far as it went: the referee looks at its samples, and the quality is measured."""
        start = time.perf_counter()
        probed = self.monitor.rows()
        diverged = not probed or any(row.invalid for row in probed)
        with self.randomness:
            fake = self.samples(min(KEPT_SAMPLES, max(len(self.data.held_out), 100)))
            diverged = diverged or not bool(fake.isfinite().all())
            ruling = None if diverged else rule(self._referee(), self.data.held_out, fake)
            if not diverged and not (self.quality and self.updates >= self.training.updates):
                self.quality = self._measure()
        distance = self.quality.get("distance", math.nan) if not diverged else math.nan
        if not math.isfinite(distance):
            self.monitor.mark_invalid()
        after = (self.training.updates + self.training.pretrain_steps) // 2
        report = self.monitor.report(since=after, ruling=ruling)
        diverged = report.verdict == "diverged"
        self.seconds += time.perf_counter() - start
        return Result(
            seed=self.seed,
            status="failed" if diverged else "pruned" if self.stopped else "complete",
            error=f"diverged: {self.stopped or report.sentence}" if diverged else "",
            verdict=report.verdict,
            sentence=f"Stopped after {self.updates} updates: {self.stopped}. {report.sentence}"
            if self.stopped
            else report.sentence,
            stability=report.stability,
            distance=distance,
            quality=self.quality,
            saturated_right=report.saturated_right,
            saturated_wrong=report.saturated_wrong,
            separability=report.separability,
            referee_gap=report.referee_gap,
            updates=self.updates,
            train_seconds=self.seconds,
            samples=fake.cpu().numpy(),
        )

    def state(self) -> dict[str, Any]:
        """Everything from which another trainer of the same configuration goes on; for torch.save, weights only."""
        return {
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "optimizer_d": self.optimizer_d.state_dict(),
            "optimizer_g": self.optimizer_g.state_dict(),
            "gradients": {
                name: [None if p.grad is None else p.grad.clone() for p in network.parameters()]
                for name, network in (("d", self.discriminator), ("g", self.generator))
            },
            "draws": self.draws.get_state(),
            "looks": self.looks.get_state(),
            "global": dict(self.randomness.state),
            "schedule": self.schedule.state(),
            "balance": self.balance.state() if self.balance else None,
            "gap_aware": self.gap_aware.state() if self.gap_aware else None,
            "monitor": self.monitor.state(),
            "updates": (self.d_updates, self.g_updates),
            "losses": [torch.stack(losses) if losses else torch.empty(0) for losses in self._losses],
            "quality": dict(self.quality),
            "stopped": self.stopped,
            "seconds": self.seconds,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from `state()` of a trainer with the same task, training and seed.

        Only its schedule may be another one, from here on.
        """
        state = copy.deepcopy(state)
        self.generator.load_state_dict(state["generator"])
        self.discriminator.load_state_dict(state["discriminator"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimizer_d.load_state_dict(state["optimizer_d"])
        self.optimizer_g.load_state_dict(state["optimizer_g"])
        for name, network in (("d", self.discriminator), ("g", self.generator)):
            for parameter, gradient in zip(network.parameters(), state["gradients"][name], strict=True):
                parameter.grad = None if gradient is None else gradient.to(self.device)
        self.draws.set_state(state["draws"].cpu())
        self.looks.set_state(state["looks"].cpu())
        self.randomness.state = state["global"]
        self.schedule.load_state(state["schedule"])
        if self.balance:
            self.balance.load_state(state["balance"], self.device)
            self.balance.target = self.schedule.target_separability
        if self.gap_aware:
            self.gap_aware.load_state(state["gap_aware"], self.device)
        self.monitor.load_state(state["monitor"])
        self.d_updates, self.g_updates = state["updates"]
        self._losses = tuple(list(losses.to(self.device).unbind()) for losses in state["losses"])  # type: ignore[assignment]
        self.quality, self.stopped, self.seconds = state["quality"], state["stopped"], state["seconds"]

    def _made(self, network: nn.Module) -> nn.Module:
        """A task's fresh network as it is trained."""
        return network.to(self.device).train()

    def _goes_on(self) -> bool:
        return self.updates < self.training.updates and not self.stopped

    def _train_to_probe(self) -> None:
        start = time.perf_counter()
        until = self.next_probe()
        with self.randomness:
            while self.updates < until:
                self.step()
        self.seconds += time.perf_counter() - start

    def _drawn(self, n: int, draw: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        return draw(n, self.draws)

    def _take_average(self) -> None:
        if self.average is not None:
            self.average.update_parameters(self.generator)

    def _fresh(self, n: int) -> Tensor:
        """(n, latent_dim) latents for looking."""
        return torch.randn(n, self.task.latent_dim, generator=self.looks, device=self.device)

    def _probe(self) -> Probe:
        real = self.data.held_out[:PROBE_SAMPLES]
        with torch.no_grad(), self._look_d, self._look_g:
            fake = self.generator(self._fresh(len(real)))
            scores_fake, scores_real = self.discriminator(fake).flatten(), self.discriminator(real).flatten()
            seen = None
            if self.data.real is not None:  # without an end of data D has seen nothing twice
                seen = self.discriminator(self.data.batch(min(SEEN_SAMPLES, len(real)), self.looks)).flatten()
            if self.loss.output == "relativistic":
                seen = None if seen is None else relativistic(seen, scores_fake)[0]
                scores_real, scores_fake = relativistic(scores_real, scores_fake)
            norms = [gradient_norm(network) for network in (self.discriminator, self.generator)]
            row = self.monitor.update(
                *(scores_real, scores_fake, self.updates, norms[1]), seen=seen, samples=(real, fake)
            )
        # From here on the device is waited for.
        means = [float(torch.stack(losses).mean()) if losses else math.nan for losses in self._losses]
        look = window(row.double().cpu())
        finite = all(math.isfinite(mean) for mean, losses in zip(means, self._losses, strict=True) if losses)
        if not finite:
            self.monitor.mark_invalid()
        self._losses = ([], [])
        if self.prune or look.invalid or not finite:
            # A pretrained D is certain and right: that says nothing before G has had its turn.
            before = self.training.pretrain_steps
            rows = [row for row in self.monitor.rows() if row.step > before or row.invalid]
            self.stopped = hopeless(rows, self.share) or ""
        done = bisect.bisect_right(self._probed_at, self.updates)
        return Probe(
            update=self.updates,
            loss_d=means[0],
            loss_g=means[1],
            p_real=look.mean_p_real,
            p_fake=look.mean_p_fake,
            saturated_right=look.saturated_right(),
            saturated_wrong=look.saturated_wrong(),
            separability=look.mean_separability,
            grad_norm_d=math.nan if norms[0] is None else float(norms[0]),
            grad_norm_g=math.nan if norms[1] is None else float(norms[1]),
            distance=self._due_distance(),
            outputs=None if done % (PROBES // HISTOGRAMS) else self.monitor.histograms(),
        )

    def _due_distance(self) -> float:
        """The distance where one of the run's measurements is due, else NaN."""
        earlier = bisect.bisect_left(self._probed_at, self.updates) - 1
        before = self._probed_at[earlier] if earlier >= 0 else 0
        passed, passed_before = (at * MEASUREMENTS // self.training.updates for at in (self.updates, before))
        if passed == passed_before or self.stopped:
            return math.nan
        self.quality = self._measure()
        return self.quality.get("distance", math.nan)

    def _measure(self) -> dict[str, float]:
        real = self.data.held_out
        fake = self.samples(len(real))
        if not bool(fake.isfinite().all()):
            return {"distance": math.nan}
        return {name: float(value) for name, value in self.task.quality(real.cpu().float(), fake.cpu()).items()}

    def _referee(self) -> float:
        """A fresh D's separability; the same network, budget and draws for every trial of a task."""
        draws = torch.Generator(self.device).manual_seed(0)
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(0)
            fresh_d = discriminator_of(self.task).to(self.device)
            held_out = self.data.held_out[:KEPT_SAMPLES]
            real = self.data.some(KEPT_SAMPLES, draws)
            return referee(
                fresh_d, real, self.samples(KEPT_SAMPLES), held_out, self.samples(len(held_out)), generator=draws
            )


def probe_updates(updates: int) -> list[int]:
    """After which updates a run of so many is probed: about PROBES of them, the last one at the end.

    One at random, the same for every run, in each of as many equal parts: at even steps an orbit of D and G whose
    period divides them would look as if it stood still.
    """
    step, draw = updates / PROBES, random.Random(0)
    moved = (round(step * (k + draw.uniform(-0.4, 0.4))) for k in range(1, PROBES))
    return sorted({max(1, at) for at in moved if at < updates} | {updates})
