"""What a training loop of the user's own gets: its parameters, its monitors, and where it reports."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gansearch.gan.loop.params import Params
from gansearch.gan.quality import sliced_wasserstein
from gansearch.gan.result import Probe
from gansearch.stability.defaults import torch_defaults
from gansearch.stability.monitor import Output, StabilityMonitor
from gansearch.stability.transfer import to_host
from gansearch.stability.verdict import hopeless
from gansearch.stability.window import Window

MIN_SAMPLES = 20
"""Of each kind in a report: a referee learns from one half and is tested on the other."""
MAX_SAMPLES = 2_000
"""Of each kind in a report that count."""
PROBE_SAMPLES = 256
"""Samples of each kind that a monitor measures collapse by."""
_CURVES = ("loss_d", "loss_g", "grad_norm_d", "grad_norm_g")
"""Numbers of a report that have columns of their own in the curves."""
_STATE = ("step", "reports", "stopped", "distance", "invalid", "asked", "ignored", "samples")


class TrialMonitor(StabilityMonitor):
    """A monitor whose probes get their step from the report that follows, where they have none of their own.

    It ignores all scores once its trial is to stop.
    """

    def __init__(self, trial: Trial):
        super().__init__(trial.output)
        self._trial = trial
        self._extremes: tuple[Tensor, Tensor] | None = None  # the lowest and the highest logit, on their device
        self._probes_seen = 0
        self.forget_probe()

    def forget_probe(self) -> None:
        """Forgets what `is_new`, `has_samples` and `step` say of the last probe."""
        self.is_new = self.has_samples = False
        """Whether there was a probe, and one with samples, since the last report."""
        self.step: int | None = None
        """The step of the last probe, where it was given."""

    def update(
        self,
        real: Tensor,
        fake: Tensor,
        step: int | None = None,
        generator_grad_norm: Tensor | float | None = None,
        **given: Any,
    ) -> Tensor:
        """Adds one probe; takes what `StabilityMonitor.update` takes."""
        if self._trial.stopped:
            return torch.empty(0)
        at = self._trial.step if step is None else step
        row = super().update(real, fake, at, generator_grad_norm, **given)
        if self._trial.output == "logit":
            self._note_extremes(real.detach().float(), fake.detach().float().to(real.device))
        self.is_new, self.step = True, step
        self.has_samples = self.has_samples or given.get("samples") is not None
        return row

    def looks_bounded(self) -> bool:
        """Returns whether what was given as logits, in two probes or more, has never left [0, 1]."""
        lowest, highest = map(float, self._extremes or (math.nan, math.nan))
        return self._probes_seen > 1 and 0 <= lowest <= highest <= 1

    def _note_extremes(self, *scores: Tensor) -> None:
        known = [] if self._extremes is None else [value.to(scores[0].device) for value in self._extremes]
        lowest = torch.stack([*known[:1], *(s.min() for s in scores)]).min()
        self._extremes = lowest, torch.stack([*known[1:], *(s.max() for s in scores)]).max()
        self._probes_seen += 1


class Trial:
    """One seed of one configuration, which the user's function `train(trial)` gets."""

    params: Params
    """The searched parameters and those under `params:`, by name."""
    seed: int
    """torch's global random numbers start from it; seed others (numpy, random) with it."""
    device: torch.device
    updates: int
    """The budget, `training.updates` of the experiment: train until `step` reaches it, or should_stop() is true."""
    checkpoint_dir: Path
    """A folder of this run's own. Files saved in it are there again when the function is called after its worker died,
    or by a sweep that is resumed."""

    def __init__(
        self,
        params: Mapping[str, Any],
        seed: int,
        device: torch.device,
        updates: int,
        checkpoint_dir: Path,
        prune: bool,
        hand_over: Callable[[Probe | None], None],
    ):
        self.params, self.seed, self.device, self.updates = Params(params), seed, device, updates
        self.checkpoint_dir, self._hand_over = checkpoint_dir, hand_over
        self.prune = prune
        """Whether the loop should stop where it is beyond hope."""
        self._output: Output = "logit"
        self.monitors: defaultdict[str, TrialMonitor] = defaultdict(lambda: TrialMonitor(self))
        """A monitor for each discriminator by name, made when it is first used."""
        self.step = self.reports = self.ignored = 0
        """Updates done at the last report; reports so far; those after the trial was to stop."""
        self.asked = False
        """Whether should_stop() was ever called."""
        self.stopped = ""
        """Why the loop should stop before its budget is over; empty while it should not."""
        self.distance = math.nan
        self.invalid = False
        """Whether a loss or a distance was no finite number."""
        self.numbers: dict[str, float] = {}
        """The last of each number reported beside the distance."""
        self.samples: tuple[Tensor, Tensor] | None = None
        """The last reals and fakes reported, (N, ...) and (M, ...), float32 on the CPU."""
        self._resumed_monitors: dict[str, Any] = {}  # their states, while a resumed loop repeats steps
        self._resumed_step = -1  # the step up to which it does

    @property
    def monitor(self) -> TrialMonitor:
        """The monitor of the discriminator, where there is one; `monitors[name]` where there are several."""
        return self.monitors["D"]

    @property
    def used_monitors(self) -> dict[str, TrialMonitor]:
        """The monitors that have scores, by name."""
        return {name: monitor for name, monitor in self.monitors.items() if monitor.table() is not None}

    @property
    def output(self) -> Output:
        """What the discriminators give: "logit" if not set, "probability", or "score" for a critic without one.

        Setting it raises ValueError for anything else, and after the first scores.
        """
        return self._output

    @output.setter
    def output(self, output: Output) -> None:
        StabilityMonitor(output)  # raises ValueError for any other
        if output != self._output and self.used_monitors:
            raise ValueError("trial.output must be set before the first trial.monitor.update(...)")
        self._output = output
        self.monitors.clear()

    @property
    def share(self) -> float:
        """Share of the budget that is done, in [0, 1]."""
        return min(1.0, self.step / self.updates)

    def should_stop(self) -> bool:
        """Whether to return now: the trial is pruned, or its budget is over. Ask after each report."""
        self.asked = True
        self._hand_over(None)
        return bool(self.stopped) or self.step >= self.updates

    @torch_defaults()
    def report(
        self, *, step: int | None = None, distance: Any = None, real: Any = None, fake: Any = None, **numbers: Any
    ) -> None:
        """Reports the state of the training; about 50 times a run is enough.

        Args:
            step: Updates done, of `trial.updates`; by default the last that a monitor was given, or the number of the
                report.
            distance: The quality of the samples, smaller is better.
            real: (N, ...) samples, held-out ones if there are any; 20 or more, of which the first 2,000 count.
            fake: (M, ...) samples, as many. The distance is measured on both where none is given, and a referee judges
                them at the end.
            **numbers: Whatever else is worth keeping; `loss_d`, `loss_g`, `grad_norm_d` and `grad_norm_g` are drawn.

        Raises:
            ValueError: Something is none of that, or a step comes before the last one. A report at the last step once
                more adds to it, without a new row in the curves.
        """
        numbers = numbers if distance is None else {**numbers, "distance": distance}
        shown = [] if real is None and fake is None else _samples(real, fake)
        step = self._next_step(step)
        if step <= self._resumed_step:  # trained once more after a resumption: it was reported before
            self._forget_probes()
            return
        self._resumed_step, self._resumed_monitors = -1, {}
        if self.stopped:
            self.ignored += 1
            self._hand_over(None)
            return
        for monitor in self.monitors.values():
            if monitor.is_new and monitor.step is None:
                monitor.set_step(step)
            if monitor.is_new and shown and not monitor.has_samples:
                monitor.add_samples(*(samples[:PROBE_SAMPLES] for samples in shown))
        windows, given, shown = self._received(numbers, shown)
        if shown:
            self.samples = shown[0], shown[1]
            if distance is None:
                finite = bool(shown[1].isfinite().all())
                given["distance"] = sliced_wasserstein(shown[0], shown[1]) if finite else math.nan
        is_new = not self.reports or step > self.step
        self.step, self.reports = step, self.reports + is_new
        self.numbers |= {name: value for name, value in given.items() if name not in (*_CURVES, "distance")}
        self.distance = given.get("distance", self.distance)
        self._judge(windows, given)
        probe = self._probe([windows[name][-1] for name, monitor in self.monitors.items() if monitor.is_new], given)
        for monitor in self.monitors.values():
            monitor.forget_probe()
        self._hand_over(probe if is_new else None)

    def state(self) -> dict[str, Any]:
        """Tensors, numbers and texts from which `load_state` continues."""
        return {
            **{name: getattr(self, name) for name in _STATE},
            "numbers": dict(self.numbers),
            "output": self.output,
            "monitors": {name: monitor.state() for name, monitor in self.monitors.items()},
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Continues from `state()`: what the loop reports once more, up to the step reached, is ignored."""
        self.output = state["output"]
        for name, monitor in state["monitors"].items():
            self.monitors[name].load_state(monitor)
        for name in _STATE:
            setattr(self, name, state[name])
        self.numbers, self._resumed_monitors = dict(state["numbers"]), dict(state["monitors"])
        self._resumed_step = self.step if self.reports else -1

    def _next_step(self, step: int | None) -> int:
        steps = [monitor.step for monitor in self.monitors.values() if monitor.is_new and monitor.step is not None]
        if step is None:
            step = max(steps, default=self.step + 1)
        step = int(_number("step", step))
        if self._resumed_step < step < (self.step if self.reports else 0):
            raise ValueError(f"trial.report(step={step}) comes after step {self.step}: steps are the updates done")
        return step

    def _forget_probes(self) -> None:
        for name, monitor in self.monitors.items():
            if name in self._resumed_monitors:
                monitor.load_state(self._resumed_monitors[name])
            monitor.forget_probe()

    def _received(
        self, numbers: Mapping[str, Any], samples: list[Tensor]
    ) -> tuple[dict[str, list[Window]], dict[str, float], list[Tensor]]:
        """The probes of each discriminator, the numbers and the samples on the host, which waits for the device once.

        Raises ValueError where they are no numbers, or not finite samples.
        """
        tables = {name: monitor.table() for name, monitor in self.used_monitors.items()}
        tensors = {name: value.detach() for name, value in numbers.items() if isinstance(value, Tensor)}
        copies = iter(to_host(*tables.values(), *tensors.values(), *samples))
        windows = {name: Window.all_of(next(copies)) for name in tables}
        given = {**numbers, **{name: next(copies) for name in tensors}}
        shown = list(copies)
        if shown and not bool(shown[0].isfinite().all()):
            raise ValueError("trial.report(real=...) holds NaN or infinite values")
        return windows, {name: _number(name, value) for name, value in given.items()}, shown

    def _judge(self, windows: Mapping[str, list[Window]], given: Mapping[str, float]) -> None:
        """Ends the run where its numbers are no longer finite, or, pruned, where it is beyond hope."""
        broken = [name for name in ("loss_d", "loss_g", "distance") if not math.isfinite(given.get(name, 0.0))]
        if broken:
            self.invalid, self.stopped = True, f"the reported {broken[0]} is no longer a finite number"
        for name, rows in windows.items():
            if not self.stopped and (self.prune or any(row.invalid for row in rows)):
                why = hopeless(rows, self.share)
                self.stopped = "" if why is None else why if len(self.monitors) == 1 else f"{name}: {why}"

    def _probe(self, windows: list[Window], given: Mapping[str, float]) -> Probe:
        """A row of the curves; of several discriminators' new windows the mean."""

        def mean(values: list[float]) -> float:
            return float(np.mean(values)) if values else math.nan

        return Probe(
            update=self.step,
            loss_d=given.get("loss_d", math.nan),
            loss_g=given.get("loss_g", math.nan),
            p_real=mean([window.mean_p_real for window in windows]),
            p_fake=mean([window.mean_p_fake for window in windows]),
            saturated_right=mean([window.saturated_right() for window in windows]),
            saturated_wrong=mean([window.saturated_wrong() for window in windows]),
            separability=mean([window.mean_separability for window in windows]),
            grad_norm_d=given.get("grad_norm_d", math.nan),
            grad_norm_g=given.get("grad_norm_g", mean([window.grad_norm for window in windows])),
            distance=given.get("distance", math.nan),
            held_out_gap=mean([window.mean("held_out_gap") for window in windows]),
        )


def _number(name: str, value: Any) -> float:
    try:
        return float(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError):
        raise ValueError(f"trial.report({name}=...) takes one number, not {_short(value)}") from None


def _samples(real: Any, fake: Any) -> list[Tensor]:
    """Both as float32 tensors, where they are. Raises ValueError where they do not go together."""
    if real is None or fake is None:
        raise ValueError("trial.report takes real= and fake= samples together")
    try:
        both = [torch.as_tensor(samples).detach()[:MAX_SAMPLES].float() for samples in (real, fake)]
    except (TypeError, ValueError, RuntimeError, IndexError) as error:
        raise ValueError(f"trial.report takes real= and fake= as tensors or arrays: {error}") from None
    shapes = [tuple(samples.shape) for samples in both]
    if shapes[0][1:] != shapes[1][1:] or min(len(shape) for shape in shapes) < 2:
        raise ValueError(f"trial.report takes samples (N, ...) of one shape, not real {shapes[0]} and fake {shapes[1]}")
    if min(len(samples) for samples in both) < MIN_SAMPLES:
        raise ValueError(f"trial.report takes {MIN_SAMPLES} or more samples of each, not {shapes[0]} and {shapes[1]}")
    return both


def _short(value: Any) -> str:
    text = f"a tensor of shape {tuple(value.shape)}" if hasattr(value, "shape") else repr(value)
    return text if len(text) < 60 else f"{text[:57]}..."
