"""The columns of a table as numbers for a GAN, and back."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri


class Column(Protocol):
    """A column of a table: `width` numbers of a sample."""

    name: str
    width: int

    def encode(self, values: pd.Series) -> np.ndarray:
        """(N, width) float32."""
        ...

    def decode(self, numbers: np.ndarray) -> list[Any]:
        """N values, as the table has them, of (N, width)."""
        ...


class Numeric:
    """A column of numbers, sent to normal scores: the normal quantile of (rank − ½)/N (Hazen), ties at their middle.

    Ranks have no outliers, no skew and no units, and whatever a generator gives is decoded to a value within the
    data's range; several modes become gaps, which a network learns from the scores as well as from modes of their own.
    Between the data's values it is interpolated. Values are decoded to as many decimals as the data have, 9 at most.
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
        return np.interp(values.to_numpy(float), self.values, self.scores)[:, None].astype(np.float32)

    def decode(self, numbers: np.ndarray) -> list[Any]:
        # Between two values the share of the rows, not the score, is interpolated.
        found = np.interp(ndtr(numbers[:, 0].astype(float)), ndtr(self.scores), self.values)
        if self.decimals is not None:
            found = found.round(self.decimals)
        return [int(value) for value in found] if self.whole else found.tolist()


class Categorical:
    """A column of categories, one-hot. A missing value is a category of its own."""

    def __init__(self, name: str, values: pd.Series):
        self.name = name
        present = sorted(values.dropna().unique().tolist(), key=lambda value: (str(type(value)), value))
        self.categories: list[Any] = present + [None] * bool(values.isna().any())
        self.width = len(self.categories)

    def encode(self, values: pd.Series) -> np.ndarray:
        place = {category: index for index, category in enumerate(self.categories)}
        codes = [place[None if missing else value] for value, missing in zip(values, values.isna(), strict=True)]
        return np.eye(self.width, dtype=np.float32)[codes]

    def decode(self, numbers: np.ndarray) -> list[Any]:
        return [self.categories[code] for code in numbers.argmax(1)]
