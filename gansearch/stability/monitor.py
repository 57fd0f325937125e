"""The monitor: takes D's raw scores probe by probe, counts exactly on the device, and reports when asked."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from gansearch.formatting import many
from gansearch.stability import measures
from gansearch.stability.defaults import torch_defaults
from gansearch.stability.probe_file import ProbeFile
from gansearch.stability.referee import Ruling
from gansearch.stability.report import NUMBERS, StabilityReport, judge
from gansearch.stability.verdict import VERDICTS, hopeless
from gansearch.stability.window import FIELDS, Window, whole

Output = Literal["logit", "probability", "score"]

CAPACITY = 256
"""Rows in memory. When all are used, neighbours are added up in pairs, so that counts stay exact."""

RESOLUTION = 1e-3
"""Logits that differ by less count as equal (probabilities within .00025)."""
RELATIVE_RESOLUTION = 1e-4
"""The same for a critic's scores, as a share of the largest standard deviation of its scores so far in the run."""

_FEW = 5
"""Fewer probes than these are too few for a verdict to rely on."""
_ROUNDING = 1e-3
"""How far a probability of low precision may lie outside [0, 1]."""


class StabilityMonitor:
    """Judges a discriminator's scores in any training loop.

    `output` says what D gives: "logit" (its sigmoid is the probability of real), "probability" (in [0, 1]), or
    "score" (a critic without a probability: hinge, WGAN, LSGAN; calibrated on one half of every probe, judged on the
    other). Give it scores of held-out reals where there are any: a D that memorises is right about the others.

    Memory is bounded by `CAPACITY` rows of some forty numbers, however long the run.

    With a `path` each probe is also written to that file, a line of JSON at once, from which a sweep of the script
    (`task: {command: …}`) and `gansearch diagnose` read it while it grows. That waits for the device at each probe.

    Raises:
        ValueError: `output` is none of the three.
        OSError: `path` cannot be written.
    """

    def __init__(self, output: Output = "logit", path: str | Path | None = None):
        if output not in ("logit", "probability", "score"):
            raise ValueError(f'output must be "logit", "probability" or "score", not {output!r}')
        self.output = output
        self._file = None if path is None else ProbeFile(path)
        self._rows: Tensor | None = None  # (CAPACITY, fields), on the scores' device
        self._filled = 0
        self._per_row = 1  # probes that go into one row
        self._probes = 0
        self._widest: Tensor | None = None  # the largest standard deviation of a critic's scores so far, ()
        self._before: tuple[Tensor, Tensor] | None = None  # the last probe's fakes and their mean distance
        self._judged: tuple[Tensor, Tensor] | None = None  # the last probe's logits of real and of fake
        self._outside: Tensor | int = 0  # answers that cannot be probabilities

    @torch.no_grad()
    @torch_defaults()
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
        """Adds one probe: D's scores on real and on fake samples, detached here. Never waits for the device.

        Scores may have any shape, dtype (fp16, bf16, fp32, fp64, integers: judged in float32) and count, real and fake
        differing; scores on another device follow `real` to its own. `step`: updates so far (default: probes so far).
        `generator_grad_norm`: 2-norm of G's last gradient before the optimizer. `seen`: D's scores of reals that it
        was trained on, where `real` are held out: shows a D that memorises. `samples`: (N, ...) reals and (N, ...)
        fakes, at best those that were scored: shows collapse and how far the fakes are from the data.

        NaN, Inf, logits beyond ±1e4 and, for probabilities, values outside [0, 1] are counted and replaced by finite
        ones; the report then says `diverged`, and what such probabilities may be instead. Returns the probe's row of
        sums, which `Window.of` takes, (fields,) on the device.

        Raises:
            TypeError: `real` or `fake` is no tensor.
            ValueError: One of them is empty, or the samples differ in shape.
        """
        for given in (real, fake):
            if not isinstance(given, Tensor):
                raise TypeError(f"update(real, fake) takes tensors of D's scores, not a {type(given).__name__}")
        if real.numel() == 0 or fake.numel() == 0:
            raise ValueError(f"a probe needs scores of both; got {real.numel()} real and {fake.numel()} fake")
        if samples is not None and samples[0].shape[1:] != samples[1].shape[1:]:
            shapes = " and ".join(str(tuple(one.shape[1:])) for one in samples)
            raise ValueError(f"real and fake samples need the same shape; got {shapes}")
        row = self._row(real, fake, self._probes if step is None else step, generator_grad_norm, seen, samples)
        if self._rows is None:
            # Doubles count exactly beyond 2^24 scores a row; Apple's GPUs have none.
            wide = torch.float32 if row.device.type == "mps" else torch.float64
            self._rows = torch.zeros(CAPACITY, len(row), device=row.device, dtype=wide)
        elif self._filled == CAPACITY and self._probes % self._per_row == 0:
            self._merge_pairs()
        self._rows = self._rows.to(row.device)  # a state that was loaded elsewhere
        if self._probes % self._per_row == 0:
            self._rows[self._filled] = row
            self._filled += 1
        else:
            self._rows[self._filled - 1] = _add(self._rows[self._filled - 1], row)
        self._probes += 1
        if self._file:
            self._file.write(self._probes, row)
        return row

    @torch.no_grad()
    @torch_defaults()
    def add_samples(self, real: Tensor, fake: Tensor) -> None:
        """Adds (N, ...) reals and (M, ...) fakes to the last probe, whose `update` was given none.

        Raises ValueError where there was no probe.
        """
        if self._rows is None:
            raise ValueError("add_samples() comes after the update() of the same probe")
        first = FIELDS.index("looks")
        measured = _stacked(self._measures(real, fake), fake.device)
        row = self._rows[self._filled - 1, first : first + len(measured)]
        row += measured.to(row.device)
        if self._file:
            self._file.add(first, measured)

    def set_step(self, step: int) -> None:
        """Sets after how many updates the last probe was, where that was not known at once."""
        if self._rows is not None:
            self._rows[self._filled - 1, 0].fill_(step)  # `= step` would copy it, and wait

    @torch_defaults()
    def report(self, since: int = -1, ruling: Ruling | None = None) -> StabilityReport:
        """Judges the probes after step `since`; windows are of the whole run. Waits for the device.

        `ruling` is a referee's on the generator's samples (`gansearch.stability.referee`), where there is one. Raises
        ValueError if there was no probe yet.
        """
        rows = self.rows()
        if not rows:
            raise ValueError("nothing to report: update() has not been called yet")
        report = judge(rows, since, ruling)
        text = report.sentence
        if outside := int(self._outside):
            text = (
                f"{outside:,} of D's answers lay outside 0 and 1, where no probability lies. If they are logits, say "
                'output="logit"; if they are a critic\'s scores, output="score".'
            )
        elif self._probes < _FEW:
            text += f" This rests on {many(self._probes, 'probe')}: give some twenty."
        return dataclasses.replace(report, sentence=text)

    def scored(self) -> StabilityReport:
        """Judges the last half of the steps so far, the part by which a sweep scores its trials. Waits for the device.

        Raises ValueError if there was no probe yet.
        """
        rows = self.rows()
        return self.report(since=int(rows[-1].step) // 2 if rows else -1)

    def metrics(self, share: float | None = None) -> dict[str, float]:
        """The numbers of `scored` for any logger, by name; {} before a probe. Waits for the device.

        What is not known, such as `apart` where `update` is given no samples, is left out. `healthy` is 1 for
        `balanced` and 0 for any other verdict, `verdict_number` the place of the verdict in VERDICTS, from 0 for
        `diverged`: loggers that take no text can draw it. With `share`, that of the training that is done, in [0, 1],
        `hopeless` is 1 where the run is `beyond_hope`, else 0.
        """
        if self._rows is None:
            return {}
        report = self.scored()
        named = ((name, getattr(report, name)) for name in NUMBERS)
        known = {name: float(number) for name, number in named if math.isfinite(number)}
        known |= {"healthy": float(report.verdict == "balanced")}
        known |= {"verdict_number": float(VERDICTS.index(report.verdict))}
        return known if share is None else {**known, "hopeless": float(bool(self.beyond_hope(share)))}

    def beyond_hope(self, share: float) -> str:
        """Why a run should be stopped after `share` of its updates, in [0, 1], as a sweep stops its trials; else ''."""
        return hopeless(self.rows(), share) or ""

    def rows(self) -> list[Window]:
        """The probes so far, as windows of one or more each, oldest first. Waits for the device."""
        table = self.table()
        return [] if table is None else Window.all_of(table.cpu())

    def table(self) -> Tensor | None:
        """The rows of sums that `rows` makes windows of, (rows, fields) on the device; None before a probe."""
        return None if self._rows is None else self._rows[: self._filled]

    def histograms(self) -> Tensor | None:
        """How many of the last probe's answers to real and to fake samples are in each twentieth of [0, 1].

        (2, 20) on the device; None before a probe. Of a critic's answers half, as they are judged.
        """
        return None if self._judged is None else torch.stack([measures.histogram(logits) for logits in self._judged])

    def mark_invalid(self) -> None:
        """Counts the last probe as diverged: something else of the run, such as a loss, is no finite number."""
        if self._rows is not None:
            self._rows[self._filled - 1, FIELDS.index("invalid")] += 1

    def state(self) -> dict[str, Any]:
        """Tensors and numbers from which `load_state` continues exactly."""
        rows = None if self._rows is None else self._rows.clone()
        counts = {"filled": self._filled, "per_row": self._per_row, "probes": self._probes}
        return {"rows": rows, **counts, "widest": self._widest, "before": self._before, "outside": self._outside}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continues from the `state()` of another monitor of the same output."""
        self._rows = None if state["rows"] is None else whole(state["rows"].clone())
        self._filled, self._per_row, self._probes = state["filled"], state["per_row"], state["probes"]
        self._widest, self._before = state["widest"], state["before"]
        self._outside = state.get("outside", 0)  # an older checkpoint has none

    def _merge_pairs(self) -> None:
        assert self._rows is not None
        self._rows[: CAPACITY // 2] = _add(self._rows[0::2], self._rows[1::2])
        self._filled = CAPACITY // 2
        self._per_row *= 2

    def _row(
        self,
        real: Tensor,
        fake: Tensor,
        step: int,
        grad_norm: Tensor | float | None,
        seen: Tensor | None,
        samples: tuple[Tensor, Tensor] | None,
    ) -> Tensor:
        given = [real, fake] if seen is None else [real, fake, seen]
        scores = [self._scores(part.to(real.device)) for part in given]
        invalid = torch.stack([(~part.isfinite()).sum() for part in scores]).sum()
        # Finite stand-ins keep the shapes (a mask would sync); a probe with any of them is reported as diverged.
        scores = [part.nan_to_num(0.0, 1e4, -1e4).clamp(-1e6, 1e6) for part in scores]
        resolution = self._resolution(torch.cat(scores[:2]))
        ranks = [measures.rounded(part, resolution) for part in scores]
        area = measures.separability(ranks[0], ranks[1])
        real, fake = scores[:2]
        if self.output == "score":
            real, fake = ranks[:2] if min(len(real), len(fake)) > 3 else (real * 0, fake * 0)
            real, fake = measures.calibrate(real, fake)
        else:
            invalid = invalid + (real.abs() > 1e4).sum() + (fake.abs() > 1e4).sum()
        self._judged = real, fake
        loss = measures.discriminator_loss(real, fake)
        values = [
            *(step, 1.0, len(real), len(fake), invalid, real.sigmoid().sum(), fake.sigmoid().sum(), area, area * area),
            *((real > 0).sum(), (fake < 0).sum(), loss, loss * loss),
            *_gradient(grad_norm),
            *((0.0, 0.0) if seen is None else (1.0, 2 * measures.separability(ranks[2], ranks[0]) - 1)),
            *((0.0,) * 5 if samples is None else self._measures(*samples)),
            *measures.saturation_counts(real),
            *measures.saturation_counts(fake),
        ]
        return _stacked(values, real.device)

    def _scores(self, given: Tensor) -> Tensor:
        scores = given.detach().flatten().float()
        if self.output == "probability":
            self._outside = self._outside + ((scores < -_ROUNDING) | (scores > 1 + _ROUNDING)).sum()
        return measures.probability_logit(scores) if self.output == "probability" else scores

    def _resolution(self, scores: Tensor) -> Tensor | float:
        """The difference of scores below which they count as equal: fixed for logits, of a critic by its history."""
        if self.output != "score":
            return RESOLUTION
        width = scores.std(correction=0)
        self._widest = width if self._widest is None else torch.maximum(self._widest.to(width.device), width)
        return (RELATIVE_RESOLUTION * self._widest).clamp_min(1e-30)

    def _measures(self, real: Tensor, fake: Tensor) -> tuple[Tensor | float, ...]:
        """1 and the measures of samples in a row: apart, diversity, distinctness and moved, () each."""
        real, fake = (samples.detach().to(fake.device).nan_to_num(0.0, 1e4, -1e4) for samples in (real, fake))
        among_real, among_fake = measures.distances(real), measures.distances(fake)
        within_real, within_fake = measures.mean_distance(among_real), measures.mean_distance(among_fake)
        apart = measures.energy(measures.distances(real, fake).mean(), within_real, within_fake).sqrt()
        moved: Tensor | float = 0.0
        if self._before is not None:
            before, within_before = (tensor.to(fake.device) for tensor in self._before)
            moved = measures.energy(measures.distances(before, fake).mean(), within_before, within_fake).sqrt()
        self._before = fake, within_fake
        count = min(len(real), len(fake))
        distinct = measures.distinctness(among_real[:count, :count], among_fake[:count, :count])
        return 1.0, apart, measures.diversity(among_real, among_fake), distinct, moved


def _stacked(values: Iterable[Tensor | float], device: torch.device) -> Tensor:
    """Numbers, (n,) float32 on the device. Those of the host are filled in, as a copy would wait for the device."""
    return torch.stack(
        [
            value.float().to(device) if isinstance(value, Tensor) else torch.full((), float(value), device=device)
            for value in values
        ]
    )


def _gradient(norm: Tensor | float | None) -> tuple[Tensor | float, ...]:
    if norm is None:
        return 0.0, 0.0, 0.0
    norm = norm.detach() if isinstance(norm, Tensor) else norm
    return 1.0, norm, norm * norm


def _add(earlier: Tensor, later: Tensor) -> Tensor:
    """Rows (..., fields) that hold the probes of both; the step is the later one's."""
    total = earlier + later
    total[..., 0] = later[..., 0]
    return total
