"""Runs a training loop of the user's own, report by report, with the same face as the trainer.

The user's function calls us, and whoever drives a training calls the trainer: so the function runs in a thread of its
own, which stands still while its report is looked at. Only one of the two ever runs.
"""

from __future__ import annotations

import math
import shutil
import tempfile
import threading
import time
from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from gansearch.gan.loop.task import Loop
from gansearch.gan.loop.trial import MAX_SAMPLES, Trial
from gansearch.gan.result import Probe, Result
from gansearch.gan.rng import RandomState
from gansearch.gan.task import TaskError
from gansearch.stability.referee import Ruling, referee, rule
from gansearch.stability.report import StabilityReport
from gansearch.stability.verdict import VERDICTS

FAREWELL_SECONDS = 5.0
"""In which a loop that is abandoned may tidy up."""
_WIDTH = 128


class LoopSettings(Protocol):
    """What is read of an experiment's training section (`gansearch.experiment.LoopTraining`)."""

    @property
    def updates(self) -> int: ...
    @property
    def params(self) -> dict[str, Any]: ...


class Abandoned(BaseException):
    """Raised in the user's loop by its next report, when nobody waits for that any more."""


class LoopTrainer:
    """Trains by calling the user's function. `for probe in trainer.run(): ...` and then `trainer.result()`.

    Whoever drives it may stop between probes, save `state()`, with what the loop has saved in its `checkpoint_dir`, and
    go on from it elsewhere. `prune` tells a loop that is beyond hope to stop.
    """

    def __init__(
        self, loop: Loop, training: LoopSettings, seed: int = 0, device: str | torch.device = "cpu", prune: bool = False
    ):
        self.task, self.training, self.seed = loop, training, seed
        self._folder = tempfile.TemporaryDirectory(prefix="gansearch-", ignore_cleanup_errors=True)
        self.checkpoint_dir = Path(self._folder.name)
        self.trial = Trial(
            training.params, seed, torch.device(device), training.updates, self.checkpoint_dir, prune, self._hand_over
        )
        self.random_state = RandomState(seed, self.trial.device)
        self.seconds = 0.0
        self._remark = ""
        self._news: SimpleQueue[Probe | BaseException | None] = SimpleQueue()  # None at the end
        self._go: SimpleQueue[bool] = SimpleQueue()  # False: nobody waits any more
        self._over = False
        self._thread: threading.Thread | None = None

    @property
    def updates(self) -> int:
        """The step of the last report."""
        return self.trial.step

    @property
    def share(self) -> float:
        """Of the budget, how much is done."""
        return self.trial.share

    @property
    def stopped(self) -> str:
        """Why the loop was told to stop; empty if it was not."""
        return self.trial.stopped

    @stopped.setter
    def stopped(self, why: str) -> None:
        self.trial.stopped = why

    def run(self, patience: float | None = None) -> Generator[Probe, None, None]:
        """Calls the function and yields each of its reports until it returns; raises what it raises. Does not call it
        where there is nothing left to do.

        Raises TaskError where it never gave scores, and TimeoutError where a report takes longer than `patience`
        seconds. A loop that goes on although it should stop is waited for.
        """
        if self.stopped or self.updates >= self.training.updates:
            return
        self._thread = threading.Thread(target=self._call, args=(torch.get_num_threads(),), daemon=True)
        try:
            while (news := self._next(patience)) is not None:
                if isinstance(news, BaseException):
                    raise news
                yield news
            self._remember()
        finally:
            self._abandon()

    @property
    def stability(self) -> float:
        """What the run would score if it ended now, by the worst of its discriminators; NaN before a probe of one."""
        return min((report.stability for report in self._reports(None).values()), default=math.nan)

    def remark(self, searched: Iterable[str] = ()) -> str:
        """What the user should know of the loop: that it did not end when asked to, or else which parameters of a
        search it never read. Empty if nothing."""
        if self._remark or not (unread := self.unread(searched)):
            return self._remark
        return f"{self.task.name}(trial) never reads {', '.join(unread)} from trial.params"

    def unread(self, names: Iterable[str]) -> list[str]:
        """Which of these parameters, where they have a value, the loop has never read."""
        params = self.trial.params
        return [name for name in names if name in params.unread and dict.get(params, name) is not None]

    def standing(self) -> tuple[float, float]:
        """(stability, last reported distance) as they are now, to compare runs part way by."""
        return self.stability, self.trial.distance

    def result(self) -> Result:
        """Judges the run as far as it went, by the worst of its discriminators."""
        start = time.perf_counter()
        trial, ruling = self.trial, None
        if trial.invalid:
            for monitor in trial.monitors.values():
                monitor.mark_invalid()
        elif trial.samples is not None and bool(trial.samples[1].isfinite().all()):
            ruling = ruling_on(*trial.samples)
        reports = self._reports(ruling)
        worst = min(reports, key=lambda name: (VERDICTS.index(reports[name].verdict), reports[name].stability))
        report = replace(reports[worst], stability=min(one.stability for one in reports.values()))
        if len(reports) > 1:
            verdicts = ", ".join(f"{name} {one.verdict}" for name, one in reports.items())
            report = replace(report, sentence=f"{verdicts}. {worst}: {report.sentence}")
        distance = math.nan if report.verdict == "diverged" else trial.distance
        self.seconds += time.perf_counter() - start
        return Result.judged(
            report,
            seed=self.seed,
            stopped=self.stopped,
            updates=trial.step,
            distance=distance,
            quality={**({} if math.isnan(distance) else {"distance": distance}), **trial.numbers},
            train_seconds=self.seconds,
            samples=self.samples(MAX_SAMPLES).numpy(),
            verdicts={name: one.verdict for name, one in reports.items()} if len(reports) > 1 else {},
        )

    def samples(self, n: int) -> Tensor:
        """(N, ...) fakes that were reported last, at most n, float32 on the CPU; (0,) where none were."""
        return torch.empty(0) if self.trial.samples is None else self.trial.samples[1][:n]

    def final_generator(self) -> None:
        """None: the loop keeps its networks to itself."""
        return None

    def state(self) -> dict[str, Any]:
        """Everything from which another one of the same configuration goes on; for torch.save, weights only."""
        files = sorted(path for path in self.checkpoint_dir.rglob("*") if path.is_file() and not path.is_symlink())
        return {
            "trial": self.trial.state(),
            "files": {path.relative_to(self.checkpoint_dir).as_posix(): _bytes(path) for path in files},
            "global": dict(self.random_state.state),
            "seconds": self.seconds,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from `state()`: the files are where the loop left them."""
        for name, content in state["files"].items():
            path = self.checkpoint_dir / name
            if not path.resolve().is_relative_to(self.checkpoint_dir.resolve()):
                continue  # no loop has saved this
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.numpy().tobytes())
        self.trial.load_state(state["trial"])
        self.random_state.state, self.seconds = state["global"], state["seconds"]

    def copy_files(self, folder: Path) -> None:
        """Copies what the loop has saved in its `checkpoint_dir`, if anything, into `folder`. Raises OSError."""
        if any(self.checkpoint_dir.iterdir()):
            shutil.copytree(self.checkpoint_dir, folder, dirs_exist_ok=True)

    def _call(self, threads: int) -> None:
        """What the thread runs."""
        torch.set_num_threads(threads)  # PyTorch's number belongs to the calling thread
        try:
            self.task.function(self.trial, **self.task.options)
            if not self.trial.reports and self.trial.used_monitors:
                self._remark = f"{self.task.name}(trial) never called trial.report(): it could not be pruned or resumed"
                self.trial.report()
        except Abandoned:
            pass
        except BaseException as error:  # noqa: BLE001 (the user's code may raise anything, which run() raises again)
            self._news.put(error)
            return
        self._news.put(None)

    def _hand_over(self, probe: Probe | None) -> None:
        """Called by a report, in the loop's thread: waits there until the probe has been looked at."""
        if probe is not None and not self._over:
            self._news.put(probe)
            self._over = not self._go.get()
        if self._over:
            raise Abandoned

    def _next(self, patience: float | None) -> Probe | BaseException | None:
        assert self._thread is not None
        start = time.perf_counter()
        try:
            with self.random_state:
                if self._thread.ident is None:
                    self._thread.start()
                else:
                    self._go.put(True)
                return self._news.get(timeout=patience)
        except Empty:
            raise TimeoutError(f"no report in {patience:g} seconds") from None
        finally:
            self.seconds += time.perf_counter() - start

    def _remember(self) -> None:
        """Notes what the user should know of a loop that has returned. Raises TaskError where nothing is known."""
        name, trial = self.task.name, self.trial
        if not trial.used_monitors:
            raise TaskError(
                f"{name}(trial) returned without a call of trial.monitor.update(real, fake) with D's scores: "
                "there is nothing to judge it by"
            )
        if trial.ignored:
            self._remark = (
                f"{name}(trial) went on for {trial.ignored} reports after it was to stop; "
                "ask trial.should_stop() after each report, and return"
            )

    def _abandon(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            self._go.put(False)
            self._over = True
            self._thread.join(FAREWELL_SECONDS)

    def _reports(self, ruling: Ruling | None) -> dict[str, StabilityReport]:
        """Of each discriminator, on the last half of what was done."""
        since = self.updates // 2
        return {name: monitor.report(since, ruling) for name, monitor in self.trial.used_monitors.items()}


def ruling_on(real: Tensor, fake: Tensor) -> Ruling:
    """A referee's ruling on (N, ...) reals and (M, ...) fakes, which learns from one half and is asked about the other.

    A loop of the user's own keeps its discriminator to itself: the referee is a small network of our own, 2 × 128
    LeakyReLU on flat samples, standardised by the reals.
    """
    draws = torch.Generator().manual_seed(0)
    mean, spread = real.mean(), real.std().clamp_min(1e-12)
    (seen, asked), (seen_fake, asked_fake) = (
        torch.chunk(((samples - mean) / spread)[torch.randperm(len(samples), generator=draws)], 2)
        for samples in (real, fake)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        fresh_d = nn.Sequential(
            *(nn.Flatten(), nn.Linear(real[0].numel(), _WIDTH), nn.LeakyReLU(0.2)),
            *(nn.Linear(_WIDTH, _WIDTH), nn.LeakyReLU(0.2), nn.Linear(_WIDTH, 1)),
        )
        return rule(referee(fresh_d, seen, seen_fake, asked, asked_fake, generator=draws), real, fake)


def _bytes(path: Path) -> Tensor:
    content = path.read_bytes()
    return torch.frombuffer(bytearray(content), dtype=torch.uint8) if content else torch.empty(0, dtype=torch.uint8)
