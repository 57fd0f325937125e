"""A table of numbers and categories, learned by the perceptrons of CTGAN."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from gansearch.gan import quality
from gansearch.gan.options import one_of, option_error, positive
from gansearch.gan.task import Task
from gansearch.gan.tasks.table_networks import MixedRow, Residual, Row
from gansearch.stability.observer import Observation, observe_rows

if TYPE_CHECKING:
    from gansearch.gan.readers.kinds import Rows
    from gansearch.gan.readers.scores import ScoredRows


@dataclass(eq=False)
class Table(Task):
    """Rows of a table (csv, parquet, or `sklearn:wine`), each column learned as what it is: (N, W) samples.

    The networks are CTGAN's (Xu et al. 2019, arXiv 1907.00503, section 4.4), with layers of `width` (256 there) and
    without its conditional vector; its `training.packing` is 10.
    """

    path: str = ""
    columns: Sequence[str] | None = None
    categorical: Sequence[str] = ()
    """Columns of numbers that are choices; the same as their `kinds`."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """By column what it is, where that is not what is found: number, choice or identifier."""
    separator: str = ","
    width: int = 128
    latent_dim: int = 64
    encoding: str = "kinds"
    """`scores` is the encoding of results folders of formats 1 and 2."""

    def __post_init__(self) -> None:
        positive(width=self.width, latent_dim=self.latent_dim)
        one_of("encoding", self.encoding, ("kinds", "scores"))
        for name in ("columns", "categorical"):
            if isinstance(names := getattr(self, name), str):
                raise option_error(name, f"must be a list of names, not {names!r}")
        if not isinstance(self.kinds, Mapping):
            raise option_error("kinds", f"must be a mapping of columns to kinds, not {self.kinds!r}")
        if len(self.separator) != 1:
            raise option_error("separator", f"must be one character, not {self.separator!r}")

    @functools.cached_property
    def _rows(self) -> Rows | ScoredRows:
        from gansearch.gan.readers import kinds, scores, tables  # pandas takes a second to import

        by_kinds = self.encoding == "kinds"
        frame = tables.read_table(self.path, self.columns, self.separator, by_kinds)
        tables.check_columns(frame, "categorical", self.categorical)
        if not by_kinds:
            return scores.ScoredRows(frame, self.categorical)
        return kinds.Rows(frame, {**dict.fromkeys(self.categorical, "choice"), **self.kinds})

    def real(self) -> Tensor:
        """Returns the stored rows, of which `unpacked` makes samples."""
        return torch.from_numpy(self._rows.stored)

    def unpacked(self, stored: Tensor) -> Tensor:
        """Returns (B, W) samples of stored rows, with ranks of equal numbers drawn at random."""
        return self._rows.unpack(stored)

    def described(self) -> list[str]:
        """Returns what each column is taken for, and the option that changes it."""
        lines = self._rows.described()
        return [*lines, "task_options.kinds: {COLUMN: number, choice or identifier} changes it"] if lines else []

    def generator(self) -> nn.Module:
        """Returns a network (B, latent_dim) -> (B, W)."""
        rows = self._rows
        first, second = self.latent_dim + self.width, self.latent_dim + 2 * self.width
        return nn.Sequential(
            Residual(self.latent_dim, self.width),
            Residual(first, self.width),
            nn.Linear(second, sum(rows.widths)),
            Row(rows.widths) if self.encoding == "scores" else MixedRow(rows.parts),
        )

    def discriminator(self, packing: int = 1) -> nn.Module:
        """Returns a network (B, W · packing) -> (B, 1)."""
        return nn.Sequential(
            nn.Linear(sum(self._rows.widths) * packing, self.width),
            nn.LeakyReLU(0.2),
            nn.Linear(self.width, self.width),
            nn.LeakyReLU(0.2),
            nn.Linear(self.width, 1),
        )

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Returns distance = `marginals` + `pairs`, of the rows as they are exported, and two_sample_auc.

        `marginals` is the mean over the columns of the Wasserstein distance (numbers, in standard deviations of normal
        scores) or the total variation (categories), `pairs` the mean absolute difference of the correlations between
        columns, and `two_sample_auc` a random forest's, real against fake: 0.5 cannot be told apart.
        """
        encoded = [self._rows.encode(self._rows.decode(samples.numpy())) for samples in (real, fake)]
        r, f = (torch.from_numpy(rows).split(self._blocks, 1) for rows in encoded)
        marginals = [quality.marginal_distance(*pair) for pair in zip(r, f, strict=True)]
        pairs = quality.correlation_distance(r, f)
        return {
            "distance": sum(marginals) / len(marginals) + pairs,
            "marginals": sum(marginals) / len(marginals),
            "pairs": pairs,
            "two_sample_auc": quality.two_sample_auc(encoded[0], encoded[1]),
        }

    def observe(self, real: Tensor, fake: Tensor) -> Observation:
        """Returns what boosted trees tell of the rows as they are exported."""
        from gansearch.gan.readers.tables import as_numbers

        decoded = [self._rows.decode(samples.numpy()) for samples in (real, fake)]
        real_rows, fake_rows = as_numbers(*decoded)
        return observe_rows(real_rows, fake_rows, list(decoded[0].columns))

    def shown(self, samples: np.ndarray) -> dict[str, Any]:
        """Describes (N, W) samples as a table."""
        frame = self._rows.write(samples)
        return {"kind": "table", "columns": frame.columns.tolist(), "rows": frame.to_numpy(object).tolist()}

    @property
    def _blocks(self) -> list[int]:
        """The widths of what is compared by itself: each column's choices, and its number."""
        return [width for choices, number in self._rows.parts for width in (choices, int(number)) if width]
