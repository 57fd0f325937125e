"""Encodes the columns of a table as numbers for a GAN, and decodes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri


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


Column = Numeric | Categorical
"""A column of a table, which takes `width` numbers of a sample."""
