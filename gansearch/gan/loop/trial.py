"""What a training loop of the user's own is handed: its parameters, the monitors, and where it reports."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gansearch.gan.loop.params import Params
from gansearch.gan.quality import sliced_wasserstein
from gansearch.gan.result import Probe
from gansearch.stability.monitor import Output, StabilityMonitor
from gansearch.stability.verdict import hopeless

LEAST_SAMPLES = 20
"""Of each kind in a report: a referee learns from one half and is asked about the other."""
MOST_SAMPLES = 2_000
LOOKED_AT = 256
"""Samples of each kind that show collapse."""
_OWN_COLUMNS = ("loss_d", "loss_g", "grad_norm_d", "grad_norm_g")
"""Numbers of a report that have columns of their own among the curves."""


class TrialMonitor(StabilityMonitor):
    """A monitor whose probes are dated by the report that follows, where they bring no step of their own."""

    def __init__(self, output: Output):
        super().__init__(output)
        self.fresh = self.looked = False
        """Whether there was a probe, and one with samples, since the last report."""
        self.step: int | None = None
        """Of the last probe, where it brought one."""
        self.reported = 0
        """The step of the last report."""
        self.closed = False
        """Whether the trial was to stop: what its loop says after that does not count."""

    def update(
        self,
        real: Tensor,
        fake: Tensor,
        step: int | None = None,
        generator_grad_norm: Tensor | float | None = None,
        *,
        seen: Tensor | None = None,
        samples: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        if self.closed:
            return torch.empty(0)
        at = self.reported if step is None else step
        row = super().update(real, fake, at, generator_grad_norm, seen=seen, samples=samples)
        self.fresh, self.step, self.looked = True, step, self.looked or samples is not None
        return row


class Monitors(dict[str, TrialMonitor]):
    """A monitor for each discriminator, made when it is first asked for."""

    output: Output = "logit"
    closed = False

    def __missing__(self, name: str) -> TrialMonitor:
        self[name] = TrialMonitor(self.output)
        self[name].closed = self.closed
        return self[name]

    def close(self) -> None:
        """Takes no more scores."""
        self.closed = True
        for monitor in self.values():
            monitor.closed = True

    @property
    def used(self) -> dict[str, TrialMonitor]:
        """Those that have been given scores."""
        return {name: monitor for name, monitor in self.items() if monitor.rows()}


class Trial:
    """One seed of one configuration, as the user's function `train(trial)` is handed it."""

    params: Params
    """The searched parameters and those under `params:`, by name."""
    seed: int
    """torch's global random numbers start from it; seed others (numpy, random) with it."""
    device: torch.device
    updates: int
    """The budget, `training.updates` of the experiment: train until `step` is here, or should_stop() is true."""
    checkpoint_dir: Path
    """A folder of this run's own. What is saved in it is there again when the function is called anew after its worker
    died, or in a sweep that goes on."""

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
        self.checkpoint_dir, self._prune, self._hand_over = checkpoint_dir, prune, hand_over
        self.monitors = Monitors()
        self.step = self.reports = self.ignored = 0
        """Updates done at the last report; reports so far; those after the trial was to stop."""
        self.asked = False
        """Whether should_stop() was ever called."""
        self._stopped = ""
        self.distance = math.nan
        self.invalid = False
        """Whether a loss or a distance was no finite number."""
        self.numbers: dict[str, float] = {}
        """The last of each number reported beside the distance."""
        self.samples: tuple[Tensor, Tensor] | None = None
        """The last reals and fakes reported, (N, ...) and (M, ...), float32 on the CPU."""
        self._before: dict[str, Any] = {}  # of the monitors, while a resumed loop goes over known steps again
        self._known = -1  # the step up to which it does

    @property
    def monitor(self) -> TrialMonitor:
        """The monitor of the discriminator, where there is one; `monitors[name]` where there are several."""
        return self.monitors["D"]

    @property
    def output(self) -> Output:
        """What the discriminators give: "logit" if not set, "probability", or "score" for a critic without one."""
        return self.monitors.output

    @output.setter
    def output(self, output: Output) -> None:
        StabilityMonitor(output)  # raises ValueError for any other
        if output != self.monitors.output and self.monitors.used:
            raise ValueError("trial.output must be set before the first trial.monitor.update(...)")
        self.monitors.output = output
        self.monitors.clear()

    @property
    def stopped(self) -> str:
        """Why the loop should stop before its budget is over; empty while it should not."""
        return self._stopped

    @stopped.setter
    def stopped(self, why: str) -> None:
        self._stopped = why
        if why:
            self.monitors.close()

    @property
    def share(self) -> float:
        """Of the budget, how much is done."""
        return min(1.0, self.step / self.updates)

    def should_stop(self) -> bool:
        """Whether to return now: the trial is pruned, or its budget is over. Ask after each report."""
        self.asked = True
        self._hand_over(None)
        return bool(self.stopped) or self.step >= self.updates

    def report(
        self,
        *,
        step: int | None = None,
        distance: Any = None,
        real: Any = None,
        fake: Any = None,
        **numbers: Any,
    ) -> None:
        """Says how the training stands; about 50 times a run is enough.

        `step`: updates done, of `trial.updates`; if not given, the last that a monitor was told, or the number of the
        report. `distance`: the quality of the samples, smaller is better. `real`, `fake`: (N, ...) and (M, ...)
        samples, held-out reals if there are any, from which the distance is measured where none is given, and which a
        referee judges at the end; 20 and more of each, of which the first 2,000 count. `numbers`: whatever else is
        worth keeping; `loss_d`, `loss_g`, `grad_norm_d` and `grad_norm_g` are drawn. Raises ValueError for what is
        none of that.
        """
        given = {name: _number(name, value) for name, value in numbers.items()}
        asked = None if distance is None else _number("distance", distance)
        samples = None if real is None and fake is None else _samples(real, fake)
        step = self._next_step(step)
        if step <= self._known:  # trained again after a resumption: it has been told
            self._forget_probes()
            return
        self._known, self._before = -1, {}
        if self.stopped:
            self.ignored += 1
            self._hand_over(None)
            return
        fresh = [monitor for monitor in self.monitors.values() if monitor.fresh]
        for monitor in fresh:
            if monitor.step is None:
                monitor.set_step(step)
            if samples is not None and not monitor.looked:
                monitor.add_samples(samples[0][:LOOKED_AT], samples[1][:LOOKED_AT])
        if samples is not None:
            self.samples = samples
            if asked is None:
                finite = bool(samples[1].isfinite().all())
                asked = sliced_wasserstein(*samples) if finite else math.nan
        self.step, self.reports = step, self.reports + 1
        self.numbers |= {name: value for name, value in given.items() if name not in _OWN_COLUMNS}
        self.distance = self.distance if asked is None else asked
        self._judge({**given, **({} if asked is None else {"distance": asked})})
        probe = self._probe(fresh, given, math.nan if asked is None else asked)
        for monitor in self.monitors.values():
            monitor.fresh = monitor.looked = False
            monitor.reported = step
        self._hand_over(probe)

    def state(self) -> dict[str, Any]:
        """Tensors, numbers and texts from which `load_state` goes on."""
        names = ("step", "reports", "stopped", "distance", "invalid", "asked", "ignored")
        return {
            **{name: getattr(self, name) for name in names},
            "numbers": dict(self.numbers),
            "samples": self.samples,
            "output": self.output,
            "monitors": {name: monitor.state() for name, monitor in self.monitors.items()},
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from `state()`: what the loop reports again, up to the step known, is passed over."""
        self.output = state["output"]
        for name, one in state["monitors"].items():
            self.monitors[name].load_state(one)
            self.monitors[name].reported = state["step"]
        for name in ("step", "reports", "stopped", "distance", "invalid", "asked", "ignored", "samples"):
            setattr(self, name, state[name])
        self.numbers, self._before = dict(state["numbers"]), dict(state["monitors"])
        self._known = self.step if self.reports else -1

    def _next_step(self, step: int | None) -> int:
        told = [monitor.step for monitor in self.monitors.values() if monitor.fresh and monitor.step is not None]
        if step is None:
            step = max(told) if told else self.step + 1
        step = int(_number("step", step))
        if self._known < step < (self.step + 1 if self.reports else 0):
            raise ValueError(f"trial.report(step={step}) comes after step {self.step}: steps are the updates done")
        return step

    def _forget_probes(self) -> None:
        for name, monitor in self.monitors.items():
            if name in self._before:
                monitor.load_state(self._before[name])
            monitor.fresh = monitor.looked = False

    def _judge(self, checked: Mapping[str, float]) -> None:
        """Decides whether the run goes on: not where its numbers are no longer finite, or, pruned, is beyond hope."""
        broken = [name for name in ("loss_d", "loss_g", "distance") if not math.isfinite(checked.get(name, 0.0))]
        if broken:
            self.invalid, self.stopped = True, f"the reported {broken[0]} is no longer a finite number"
        for name, monitor in self.monitors.items():
            rows = monitor.rows()
            if not self.stopped and (self._prune or any(row.invalid for row in rows)):
                why = hopeless(rows, self.share) if rows else None
                self.stopped = "" if why is None else why if len(self.monitors) == 1 else f"{name}: {why}"

    def _probe(self, fresh: list[TrialMonitor], given: Mapping[str, float], distance: float) -> Probe:
        """A row of the curves; of several discriminators the mean."""
        windows = [monitor.rows()[-1] for monitor in fresh]

        def mean(name: str) -> float:
            values = [getattr(window, name) for window in windows]
            return float(np.mean([value() if callable(value) else value for value in values])) if values else math.nan

        return Probe(
            update=self.step,
            loss_d=given.get("loss_d", math.nan),
            loss_g=given.get("loss_g", math.nan),
            p_real=mean("mean_p_real"),
            p_fake=mean("mean_p_fake"),
            saturated_right=mean("saturated_right"),
            saturated_wrong=mean("saturated_wrong"),
            separability=mean("mean_separability"),
            grad_norm_d=given.get("grad_norm_d", math.nan),
            grad_norm_g=given.get("grad_norm_g", mean("grad_norm")),
            distance=distance,
        )


def _number(name: str, value: Any) -> float:
    try:
        return float(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError):
        raise ValueError(f"trial.report({name}=...) takes one number, not {_short(value)}") from None


def _samples(real: Any, fake: Any) -> tuple[Tensor, Tensor]:
    if real is None or fake is None:
        raise ValueError("trial.report takes real= and fake= samples together")
    try:
        both = [torch.as_tensor(samples).detach()[:MOST_SAMPLES].float().cpu() for samples in (real, fake)]
    except (TypeError, ValueError, RuntimeError, IndexError) as error:
        raise ValueError(f"trial.report takes real= and fake= as tensors or arrays: {error}") from None
    shapes = [tuple(samples.shape) for samples in both]
    if shapes[0][1:] != shapes[1][1:] or min(len(shape) for shape in shapes) < 2:
        raise ValueError(f"trial.report takes samples (N, ...) of one shape, not real {shapes[0]} and fake {shapes[1]}")
    if min(len(samples) for samples in both) < LEAST_SAMPLES:
        raise ValueError(f"trial.report takes {LEAST_SAMPLES} or more samples of each, not {shapes[0]} and {shapes[1]}")
    if not bool(both[0].isfinite().all()):
        raise ValueError("trial.report(real=...) holds NaN or infinite values")
    return both[0], both[1]


def _short(value: Any) -> str:
    text = f"a tensor of shape {tuple(value.shape)}" if hasattr(value, "shape") else repr(value)
    return text if len(text) < 60 else f"{text[:57]}..."
