"""The encoding of tables in folders of formats 1 and 2: numbers as normal scores of ranks, all else one-hot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types
from scipy.special import ndtr, ndtri
from torch import Tensor

FEW = 5
"""Different numbers up to which a column is one of categories: ranks of so few are no scale."""


class ScoredRows:
    """The rows of a table as samples, (N, W), and back; what `gansearch.gan.encoding.kinds.Rows` does.

    Columns that never change and rows that lack a number are left out.
    """

    def __init__(self, frame: pd.DataFrame, categorical: Sequence[str]):
        frame = frame[[name for name in frame if frame[name].nunique(dropna=False) > 1]]
        numeric = [name for name in frame if name not in categorical and _is_numeric(frame[name])]
        finite = frame[numeric].apply(lambda values: np.isfinite(values.to_numpy(float, na_value=np.nan)))
        rows = frame[finite.all(axis=1)]
        self.columns = [(Numeric if name in numeric else Categorical)(str(name), rows[name]) for name in frame]
        self.widths = [column.width for column in self.columns]
        self.parts = [(0, True) if width == 1 else (width, False) for width in self.widths]
        self.stored = self.encode(rows.reset_index(drop=True))

    is_wide = False
    """Functions are not looked for."""

    @property
    def replaced(self) -> list[str]:
        """Columns whose place numbers take: none."""
        return []

    @property
    def copies(self) -> int:
        """How many rows are copies of earlier ones."""
        return int(pd.DataFrame(self.stored).duplicated().sum())

    def unpack(self, stored: Tensor) -> Tensor:
        """(B, W) samples of as many stored rows: the same."""
        return stored

    def encode(self, frame: pd.DataFrame) -> np.ndarray:
        """(N, W) float32 samples of rows."""
        return np.concatenate([column.encode(frame[column.name]) for column in self.columns], 1)

    def decode(self, samples: np.ndarray) -> pd.DataFrame:
        """The rows of (N, W) samples, as the table has them."""
        blocks = zip(self.columns, np.split(samples, np.cumsum(self.widths)[:-1], axis=1), strict=True)
        return pd.DataFrame({c.name: pd.Series(c.decode(block), dtype=object) for c, block in blocks})

    write = decode

    def described(self) -> list[str]:
        """What each column is taken for: nothing that could be changed."""
        return []


class Numeric:
    """A column of numbers as normal scores: the normal quantile of (rank − ½)/N (Hazen), ties at their middle.

    Ranks have no outliers, no skew and no units, and any number that a generator gives is decoded to a value within the
    data's range. Several modes become gaps in the scores, which a network learns as well as the modes themselves.
    Decoded values are interpolated between the data's, and rounded to as many decimals as the data have, up to 9.
    """

    width = 1

    def __init__(self, name: str, values: pd.Series):
        self.name = name
        numbers = values.to_numpy(float)
        self.values, counts = np.unique(numbers, return_counts=True)
        self.scores = ndtri((np.cumsum(counts) - counts / 2) / len(numbers))
        self.whole = pd.api.types.is_integer_dtype(values.dtype)
        self.decimals = next((d for d in range(10) if np.allclose(self.values, self.values.round(d), 0, 1e-11)), None)

    def encode(self, values: pd.Series) -> np.ndarray:
        """Returns the (N, 1) float32 normal scores of N numbers."""
        return np.interp(values.to_numpy(float), self.values, self.scores)[:, None].astype(np.float32)

    def decode(self, numbers: np.ndarray) -> list[Any]:
        """Returns the N numbers of (N, 1) normal scores."""
        # Between two values the share of the rows, not the score, is interpolated.
        values = np.interp(ndtr(numbers[:, 0].astype(float)), ndtr(self.scores), self.values)
        if self.decimals is not None:
            values = values.round(self.decimals)
        return [int(value) for value in values] if self.whole else values.tolist()


class Categorical:
    """A column of categories, one-hot. A missing value is a category of its own, the last one."""

    def __init__(self, name: str, values: pd.Series):
        self.name = name
        self.present = sorted(values.dropna().unique().tolist(), key=lambda value: (str(type(value)), value))
        self.categories: list[Any] = self.present + [None] * bool(values.isna().any())
        self.width = len(self.categories)

    def encode(self, values: pd.Series) -> np.ndarray:
        """Returns the (N, width) float32 one-hot codes of N values."""
        codes = pd.Categorical(values, pd.Index(self.present, dtype=object)).codes  # -1, the last one, where missing
        return np.eye(self.width, dtype=np.float32)[codes]

    def decode(self, numbers: np.ndarray) -> list[Any]:
        """Returns the category of the largest of each row's (N, width) numbers."""
        return [self.categories[code] for code in numbers.argmax(1)]


def _is_numeric(values: pd.Series) -> bool:
    return (
        types.is_numeric_dtype(values.dtype) and not types.is_bool_dtype(values.dtype) and bool(values.nunique() > FEW)
    )
