"""The monitor: takes D's raw scores probe by probe, keeps exact counts on the device, and reports when asked."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import torch
from torch import Tensor

from gansearch.stability import measures
from gansearch.stability.referee import Ruling
from gansearch.stability.report import StabilityReport, judge
from gansearch.stability.window import Window

Output = Literal["logit", "probability", "score"]

CAPACITY = 256
"""Rows kept; when they are full, neighbours are added up in pairs, so that memory stays bounded and counts exact."""

RESOLUTION = 1e-3
"""Of a logit: two outputs that differ by less say the same (probabilities within .00025)."""
RELATIVE_RESOLUTION = 1e-4
"""Of a critic's score, as a share of the widest standard deviation of its scores so far in the run."""

_E = len(measures.EPSILONS)
# A row: all entries but the first are sums over the probes that it holds, so that rows can be added.
FIELDS = (
    *("step", "probes", "n_real", "n_fake", "invalid"),
    *("p_real", "p_fake", "separability", "correct_real", "correct_fake", "loss_d", "loss_d_square"),
    *("grads", "grad", "grad_square"),  # of the generator, where it was given
    *("gaps", "held_out_gap"),  # where scores of training reals were given
    *("looks", "apart", "diversity", "distinctness", "moved"),  # where samples were given
)
_FEW = 5
"""Probes, below which a verdict rests on little."""
_ROUNDING = 1e-3
"""By which a probability of low precision may miss 0 or 1."""
_COUNTS = ("real_high", "real_low", "fake_high", "fake_low")


class StabilityMonitor:
    """Watches a discriminator's scores in any training loop.

    `output` says what D gives: "logit" (its sigmoid is the probability of real), "probability" (in [0, 1]), or
    "score" (a critic without a probability: hinge, WGAN, LSGAN; calibrated on one half of every probe, judged on the
    other). Feed it held-out real samples where there are some: a D that memorises looks right on the others.

    Memory is bounded by `CAPACITY` rows of some forty numbers, however long the run.
    """

    def __init__(self, output: Output = "logit"):
        if output not in ("logit", "probability", "score"):
            raise ValueError(f'output must be "logit", "probability" or "score", not {output!r}')
        self.output = output
        self._rows: Tensor | None = None  # (CAPACITY, fields), on the scores' device
        self._filled = 0
        self._per_row = 1  # probes that go into one row
        self._probes = 0
        self._widest: Tensor | None = None  # the largest standard deviation of a critic's scores so far, ()
        self._before: tuple[Tensor, Tensor] | None = None  # the last probe's fakes and their mean distance
        self._judged: tuple[Tensor, Tensor] | None = None  # the last probe's logits of real and of fake
        self._outside: Tensor | int = 0  # answers that cannot be probabilities

    @torch.no_grad()
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
        ones; the report then says `diverged`, and of such probabilities what they may be instead. What is no tensor
        raises TypeError; an empty tensor, or samples of two shapes, raise ValueError. Returns the probe's row of sums,
        a tensor in the order of `FIELDS` and counts, on the device.
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
            self._halve()
        self._rows = self._rows.to(row.device)  # a state that was loaded elsewhere
        if self._probes % self._per_row == 0:
            self._rows[self._filled] = row
            self._filled += 1
        else:
            self._rows[self._filled - 1] = _add(self._rows[self._filled - 1], row)
        self._probes += 1
        return row

    @torch.no_grad()
    def look(self, real: Tensor, fake: Tensor) -> None:
        """Adds (N, ...) reals and (M, ...) fakes to the last probe, whose `update` was given none."""
        if self._rows is None:
            raise ValueError("look() comes after the update() of the same probe")
        found = [value if isinstance(value, Tensor) else torch.tensor(value) for value in self._look(real, fake)]
        first = FIELDS.index("looks")
        row = self._rows[self._filled - 1, first : first + len(found)]
        row += torch.stack([value.to(row.device, row.dtype) for value in found])

    def date(self, step: int) -> None:
        """Says after how many updates the last probe was, where that was not known at once."""
        if self._rows is not None:
            self._rows[self._filled - 1, 0] = step

    def report(self, since: int = -1, ruling: Ruling | None = None) -> StabilityReport:
        """Judges the probes after step `since`; windows are of the whole run. Waits for the device.

        `ruling` is a referee's on the generator's samples (`gansearch.stability.referee`), where there is one. Raises
        ValueError if there was no probe yet.
        """
        rows = self.rows()
        if not rows:
            raise ValueError("nothing to report: update() has not been called yet")
        report = judge(rows, since, ruling)
        outside = int(self._outside)
        if outside:
            said = (
                f"{outside:,} of D's answers lay outside 0 and 1, where no probability lies. If they are logits, say "
                'output="logit"; if they are a critic\'s scores, output="score".'
            )
            return dataclasses.replace(report, sentence=said)
        if self._probes < _FEW:
            seen = "1 probe" if self._probes == 1 else f"{self._probes} probes"
            return dataclasses.replace(report, sentence=f"{report.sentence} This rests on {seen}: give some twenty.")
        return report

    def rows(self) -> list[Window]:
        """What was given so far, as windows of one or more probes, oldest first. Waits for the device."""
        if self._rows is None:
            return []
        table = self._rows[: self._filled].double().cpu()
        return [window(row) for row in table]

    def histograms(self) -> dict[str, list[int]] | None:
        """How many of the last probe's answers to "real" and to "fake" samples are in each twentieth of [0, 1].

        Of a critic's answers half, as they are judged. Waits for the device; None before a probe.
        """
        if self._judged is None:
            return None
        real, fake = (measures.histogram(logits).tolist() for logits in self._judged)
        return {"real": real, "fake": fake}

    def mark_invalid(self) -> None:
        """Notes that something else of the run, such as a loss, is no longer a finite number."""
        if self._rows is not None:
            self._rows[self._filled - 1, FIELDS.index("invalid")] += 1

    def state(self) -> dict[str, Any]:
        """Tensors and numbers from which `load_state` goes on exactly."""
        rows = None if self._rows is None else self._rows.clone()
        counts = {"filled": self._filled, "per_row": self._per_row, "probes": self._probes}
        return {"rows": rows, **counts, "widest": self._widest, "before": self._before, "outside": self._outside}

    def load_state(self, state: dict[str, Any]) -> None:
        self._rows = None if state["rows"] is None else state["rows"].clone()
        self._filled, self._per_row, self._probes = state["filled"], state["per_row"], state["probes"]
        self._widest, self._before = state["widest"], state["before"]
        self._outside = state.get("outside", 0)  # an older checkpoint has none

    def _halve(self) -> None:
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
            *(step, 1.0, len(real), len(fake), invalid, real.sigmoid().sum(), fake.sigmoid().sum(), area),
            *((real > 0).sum(), (fake < 0).sum(), loss, loss * loss),
            *_gradient(grad_norm),
            *((0.0, 0.0) if seen is None else (1.0, 2 * measures.separability(ranks[2], ranks[0]) - 1)),
            *((0.0,) * 5 if samples is None else self._look(*samples)),
            *measures.saturation_counts(real),
            *measures.saturation_counts(fake),
        ]
        # Filled, not copied: a copy from the host would wait for the device.
        return torch.stack(
            [
                value.float().to(real.device)
                if isinstance(value, Tensor)
                else torch.full((), float(value), device=real.device)
                for value in values
            ]
        )

    def _scores(self, given: Tensor) -> Tensor:
        scores = given.detach().flatten().float()
        if self.output == "probability":
            self._outside = self._outside + ((scores < -_ROUNDING) | (scores > 1 + _ROUNDING)).sum()
        return measures.probability_logit(scores) if self.output == "probability" else scores

    def _resolution(self, scores: Tensor) -> Tensor | float:
        """Differences of scores below this tell nothing apart: .001 of a logit, or what a critic's history shows."""
        if self.output != "score":
            return RESOLUTION
        width = scores.std(correction=0)
        self._widest = width if self._widest is None else torch.maximum(self._widest.to(width.device), width)
        return (RELATIVE_RESOLUTION * self._widest).clamp_min(1e-30)

    def _look(self, real: Tensor, fake: Tensor) -> tuple[Tensor | float, ...]:
        real, fake = (samples.detach().to(fake.device).nan_to_num(0.0, 1e4, -1e4) for samples in (real, fake))
        among_real, among_fake = measures.distances(real), measures.distances(fake)
        within_real, within_fake = measures.mean_distance(among_real), measures.mean_distance(among_fake)
        apart = measures.energy(measures.distances(real, fake).mean(), within_real, within_fake).sqrt()
        moved: Tensor | float = 0.0
        if self._before is not None:
            before, within_before = (known.to(fake.device) for known in self._before)
            moved = measures.energy(measures.distances(before, fake).mean(), within_before, within_fake).sqrt()
        self._before = fake, within_fake
        count = min(len(real), len(fake))
        distinct = measures.distinctness(among_real[:count, :count], among_fake[:count, :count])
        return 1.0, apart, measures.diversity(among_real, among_fake), distinct, moved


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


def window(row: Tensor) -> Window:
    """A window from one row of sums."""
    values: dict[str, Any] = dict(zip(FIELDS, row.tolist(), strict=False))
    counts = row[len(FIELDS) :].reshape(len(_COUNTS), _E).tolist()
    return Window(**{**values, **{name: tuple(shares) for name, shares in zip(_COUNTS, counts, strict=True)}})
