"""The monitor: takes D's raw scores probe by probe, keeps exact counts on the device, and reports when asked."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from gansearch.stability import measures
from gansearch.stability.referee import Ruling
from gansearch.stability.report import StabilityReport, Window, judge

Output = Literal["logit", "probability", "score"]

CAPACITY = 256
"""Rows kept; when they are full, neighbours are added up in pairs, so that memory stays bounded and counts exact."""

_E = len(measures.EPSILONS)
# A row: all entries but the first are sums over the probes that it holds, so that rows can be added.
FIELDS = (
    *("step", "probes", "n_real", "n_fake", "invalid"),
    *("p_real", "p_fake", "separability", "correct_real", "correct_fake", "grads", "grad", "grad_square"),
)
_COUNTS = ("real_high", "real_low", "fake_high", "fake_low")


class StabilityMonitor:
    """Watches a discriminator's scores in any training loop.

    `output` says what D gives: "logit" (its sigmoid is the probability of real), "probability" (in [0, 1]), or
    "score" (a critic without a probability: hinge, WGAN, LSGAN; calibrated on one half of every probe, judged on the
    other). Feed it held-out real samples where there are some: a D that memorises looks right on the others.
    """

    def __init__(self, output: Output = "logit"):
        if output not in ("logit", "probability", "score"):
            raise ValueError(f'output must be "logit", "probability" or "score", not {output!r}')
        self.output = output
        self._rows: Tensor | None = None  # (CAPACITY, fields), on the scores' device
        self._filled = 0
        self._per_row = 1  # probes that go into one row
        self._probes = 0

    @torch.no_grad()
    def update(
        self, real: Tensor, fake: Tensor, step: int | None = None, generator_grad_norm: Tensor | float | None = None
    ) -> Tensor:
        """Adds one probe: D's scores on real and on fake samples, tensors of any shape, dtype and count.

        Never waits for the device. NaN, Inf and, for probabilities, values outside [0, 1] are counted and left out;
        the report then says so. An empty tensor raises ValueError. Returns the probe's row of sums, a tensor in the
        order of `FIELDS` and counts, on the device.
        """
        if real.numel() == 0 or fake.numel() == 0:
            raise ValueError(f"a probe needs scores of both; got {real.numel()} real and {fake.numel()} fake")
        row = self._row(real, fake, self._probes if step is None else step, generator_grad_norm)
        if self._rows is None:
            self._rows = torch.zeros(CAPACITY, len(row), device=row.device)
        elif self._filled == CAPACITY and self._probes % self._per_row == 0:
            self._halve()
        if self._probes % self._per_row == 0:
            self._rows[self._filled] = row
            self._filled += 1
        else:
            self._rows[self._filled - 1] = _add(self._rows[self._filled - 1], row)
        self._probes += 1
        return row

    def report(self, since: int = -1, ruling: Ruling | None = None) -> StabilityReport:
        """Judges the probes after step `since`; windows are of the whole run. Waits for the device.

        `ruling` is a referee's on the generator's samples (`gansearch.stability.referee`), where there is one. Raises
        ValueError if there was no probe yet.
        """
        rows = self.rows()
        if not rows:
            raise ValueError("nothing to report: update() has not been called yet")
        return judge(rows, since, ruling)

    def rows(self) -> list[Window]:
        """What was given so far, as windows of one or more probes, oldest first. Waits for the device."""
        if self._rows is None:
            return []
        table = self._rows[: self._filled].double().cpu()
        return [window(row) for row in table]

    def mark_invalid(self) -> None:
        """Notes that something else of the run, such as a loss, is no longer a finite number."""
        if self._rows is not None:
            self._rows[self._filled - 1, FIELDS.index("invalid")] += 1

    def state(self) -> dict[str, Any]:
        """Tensors and numbers from which `load_state` goes on exactly."""
        rows = None if self._rows is None else self._rows.clone()
        return {"rows": rows, "filled": self._filled, "per_row": self._per_row, "probes": self._probes}

    def load_state(self, state: dict[str, Any]) -> None:
        self._rows = None if state["rows"] is None else state["rows"].clone()
        self._filled, self._per_row, self._probes = state["filled"], state["per_row"], state["probes"]

    def _halve(self) -> None:
        assert self._rows is not None
        self._rows[: CAPACITY // 2] = _add(self._rows[0::2], self._rows[1::2])
        self._filled = CAPACITY // 2
        self._per_row *= 2

    def _row(self, real: Tensor, fake: Tensor, step: int, grad_norm: Tensor | float | None) -> Tensor:
        real, fake = (scores.detach().flatten().float() for scores in (real, fake.to(real.device)))
        if self.output == "probability":
            real, fake = measures.probability_logit(real), measures.probability_logit(fake)
        invalid = (~real.isfinite()).sum() + (~fake.isfinite()).sum()
        # Finite stand-ins keep the shapes (a mask would sync); a probe with any of them is reported as diverged.
        real, fake = (scores.nan_to_num(0.0, 1e4, -1e4).clamp(-1e6, 1e6) for scores in (real, fake))
        area = measures.separability(real, fake)
        if self.output == "score":
            real, fake = measures.calibrate(real, fake) if min(len(real), len(fake)) > 3 else (real * 0, fake * 0)
        else:
            invalid = invalid + (real.abs() > 1e4).sum() + (fake.abs() > 1e4).sum()
        if grad_norm is None:
            grads: tuple[Tensor | float, ...] = (0.0, 0.0, 0.0)
        else:
            norm = grad_norm.detach() if isinstance(grad_norm, Tensor) else grad_norm
            grads = (1.0, norm, norm * norm)
        values = [
            *(step, 1.0, len(real), len(fake), invalid, real.sigmoid().sum(), fake.sigmoid().sum(), area),
            *((real > 0).sum(), (fake < 0).sum(), *grads),
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
