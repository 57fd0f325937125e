"""The encoding of tables in folders of formats 1 and 2: numbers as normal scores of ranks, all else one-hot."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types
from scipy.special import ndtr, ndtri
from torch import Tensor

from gansearch.gan.options import option_error
from gansearch.gan.readers.files import need

MOST_CATEGORIES = 50
FEW = 5
"""Different numbers up to which a column is one of categories: ranks of so few are no scale."""


class ScoredRows:
    """The rows of a table as samples, (N, W), and back; what `gansearch.gan.readers.kinds.Rows` does."""

    def __init__(self, frame: pd.DataFrame, categorical: Sequence[str]):
        """Raises TaskError that names the column which cannot be learned."""
        self.notes = []
        constant = [name for name in frame if frame[name].nunique(dropna=False) < 2]
        if constant:
            self.notes.append(f"columns that always have the same value are left out: {', '.join(map(str, constant))}")
            frame = frame.drop(columns=constant)
        if frame.shape[1] == 0:
            raise option_error("path", "the table has no column whose values differ")
        numeric = [str(name) for name in frame if name not in categorical and _is_numeric(str(name), frame[name])]
        finite = frame[numeric].apply(lambda values: np.isfinite(values.to_numpy(float, na_value=np.nan)))
        rows = frame[finite.all(axis=1)]
        if len(rows) < len(frame):
            gaps = ", ".join(name for name in numeric if not finite[name].all())
            self.notes.append(f"{len(frame) - len(rows)} of {len(frame)} rows lack a number in {gaps} and are left out")
        need(len(rows), f"rows with all numbers, of {len(frame)}", "give more rows, or leave columns with gaps out")
        self.columns = [(Numeric if name in numeric else Categorical)(str(name), rows[name]) for name in frame]
        self.widths = [column.width for column in self.columns]
        self.parts = [(0, True) if width == 1 else (width, False) for width in self.widths]
        self.stored = self.encode(rows.reset_index(drop=True))

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


def _is_numeric(name: str, values: pd.Series) -> bool:
    """Whether a column holds numbers, not categories. Raises TaskError for what is neither."""
    different = values.nunique()
    if types.is_bool_dtype(values.dtype):
        return False
    if types.is_numeric_dtype(values.dtype) and not types.is_complex_dtype(values.dtype):
        return different > FEW
    problem = ""
    strays = values[pd.to_numeric(values, errors="coerce").isna() & values.notna()]
    if _are_dates(values):
        problem = "dates, which cannot be learned; leave it out, or write numbers (year, hours since ...)"
    elif different > FEW and len(strays) < len(values) / 10:
        stray = f"{len(strays)} texts such as {strays.iloc[0]!r}"
        problem = f"numbers but for {stray}; leave these empty where the number is missing, or learn other columns"
    elif different > MOST_CATEGORIES:
        problem = f"{different} different texts, and at most {MOST_CATEGORIES} can be learned; learn other columns"
    if problem:
        raise option_error("columns", f"{name!r} holds {problem}")
    return False


def _are_dates(values: pd.Series) -> bool:
    if types.is_datetime64_any_dtype(values.dtype) or types.is_timedelta64_dtype(values.dtype):
        return True
    some = values.dropna().head(100).astype(str)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that pandas has to guess the format
        dates = pd.to_datetime(some, errors="coerce", format="mixed")
    return len(some) > 0 and bool(dates.notna().all()) and bool(some.str.contains(r"\d[-/.]\w+[-/.]\d").all())
