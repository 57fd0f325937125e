"""A table of numbers and categories, learned by the perceptrons of CTGAN."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansearch.gan import quality
from gansearch.gan.options import option_error, positive
from gansearch.gan.task import Task

if TYPE_CHECKING:
    import pandas as pd

    from gansearch.gan.readers.tables import Frame

TEMPERATURE = 0.2
"""The Gumbel-softmax's, as in CTGAN."""


@dataclass(eq=False)
class Table(Task):
    """Rows of a table (csv, parquet, or `sklearn:wine`): (N, W) samples, a number a numeric column, one-hot the others.

    The networks are CTGAN's (Xu et al. 2019, arXiv 1907.00503, section 4.4), with layers of `width` (256 there) and
    without its packing and conditional vector. `categorical` names columns of numbers that are categories.
    """

    path: str = ""
    columns: Sequence[str] | None = None
    categorical: Sequence[str] = ()
    separator: str = ","
    width: int = 128
    latent_dim: int = 64

    def __post_init__(self) -> None:
        positive(width=self.width, latent_dim=self.latent_dim)
        for name in ("columns", "categorical"):
            if isinstance(names := getattr(self, name), str):
                raise option_error(name, f"must be a list of names, not {names!r}")
        if len(self.separator) != 1:
            raise option_error("separator", f"must be one character, not {self.separator!r}")

    @functools.cached_property
    def _table(self) -> Frame:
        from gansearch.gan.readers.tables import read_table  # pandas takes a second to import

        return read_table(self.path, self.columns, self.categorical, self.separator)

    def real(self) -> Tensor:
        """Returns the rows as (N, W) float32."""
        return torch.from_numpy(self._encode(self._table.rows))

    def warnings(self) -> list[str]:
        """Returns what the reader says of the table."""
        return self._table.warnings

    def generator(self) -> nn.Module:
        """Returns a network (B, latent_dim) -> (B, W)."""
        widths = [column.width for column in self._table.columns]
        first, second = self.latent_dim + self.width, self.latent_dim + 2 * self.width
        return nn.Sequential(
            Residual(self.latent_dim, self.width),
            Residual(first, self.width),
            nn.Linear(second, sum(widths)),
            Row(widths),
        )

    def discriminator(self) -> nn.Module:
        """Returns a network (B, W) -> (B, 1)."""
        inputs = sum(column.width for column in self._table.columns)
        return nn.Sequential(
            nn.Linear(inputs, self.width),
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
        rows_r, rows_f = (self._encode(self._decode(samples.numpy())) for samples in (real, fake))
        r, f = ([torch.from_numpy(block) for block in self._blocks(rows)] for rows in (rows_r, rows_f))
        marginals = [quality.marginal_distance(*pair) for pair in zip(r, f, strict=True)]
        pairs = quality.correlation_distance(r, f)
        return {
            "distance": sum(marginals) / len(marginals) + pairs,
            "marginals": sum(marginals) / len(marginals),
            "pairs": pairs,
            "two_sample_auc": quality.two_sample_auc(rows_r, rows_f),
        }

    def shown(self, samples: np.ndarray) -> dict[str, Any]:
        """Describes (N, W) samples as a table."""
        frame = self._decode(samples)
        return {"kind": "table", "columns": frame.columns.tolist(), "rows": frame.to_numpy(object).tolist()}

    def _encode(self, frame: pd.DataFrame) -> np.ndarray:
        """The (N, W) float32 samples of rows."""
        return np.concatenate([column.encode(frame[column.name]) for column in self._table.columns], 1)

    def _decode(self, samples: np.ndarray) -> pd.DataFrame:
        """The rows of (N, W), as the table has them."""
        import pandas as pd

        blocks = zip(self._table.columns, self._blocks(samples), strict=True)
        return pd.DataFrame({c.name: pd.Series(c.decode(block), dtype=object) for c, block in blocks})

    def _blocks(self, samples: np.ndarray) -> list[np.ndarray]:
        """The (N, width) part of each column."""
        ends = np.cumsum([column.width for column in self._table.columns])
        return np.split(samples, ends[:-1], axis=1)


class Residual(nn.Module):
    """(B, n) -> (B, width + n): a layer with batch norm and ReLU, and its input beside its output."""

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, width + n)."""
        return torch.cat([self.layers(x), x], 1)


class Row(nn.Module):
    """Leaves numbers as they are, and draws a one-hot category for each block of logits.

    By the straight-through Gumbel-softmax (Jang et al. 2017, arXiv 1611.01144), so that D cannot tell rows by soft
    categories.
    """

    def __init__(self, widths: Sequence[int]):
        super().__init__()
        self.widths = list(widths)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, W) rows of (B, W) logits."""
        blocks = [
            block if block.shape[1] == 1 else F.gumbel_softmax(block, TEMPERATURE, hard=True, dim=1)
            for block in x.split(self.widths, 1)
        ]
        return torch.cat(blocks, 1)
