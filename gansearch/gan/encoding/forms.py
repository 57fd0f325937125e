"""How the values of a column are written: numbers, dates, durations; and numbers from them and back."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import pandas as pd
from pandas.api import types

_DAYS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d-%m-%Y", "%m-%d-%Y", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y-%m"),
    *("%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y"),
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M", "T%H:%M:%S", "T%H:%M:%SZ", "T%H:%M:%S.%fZ", " %I:%M %p")
_CLOCK = re.compile(r"\d+:[0-5]\d(:[0-5]\d)?")
_SPAN = re.compile(r"-?\d+ days?( [+-]?\d\d:\d\d:\d\d(\.\d+)?)?")
_COMPACT = "%Y%m%d"


class Form(Protocol):
    """How the values of one column are written."""

    name: str
    """What the values are, for people."""

    def numbers(self, values: pd.Series) -> np.ndarray:
        """(N,) float64 of N values, NaN where one is missing."""

    def write(self, numbers: np.ndarray) -> list[Any]:
        """N values of (N,) numbers, None for NaN."""


class Plain:
    """Numbers: whole ones, or with a point."""

    name = "number"

    def __init__(self, values: pd.Series):
        self.whole = types.is_integer_dtype(values.dtype)

    def numbers(self, values: pd.Series) -> np.ndarray:
        """(N,) float64 of N values, NaN where one is missing."""
        return values.to_numpy(float, na_value=np.nan)

    def write(self, numbers: np.ndarray) -> list[Any]:
        """N values of (N,) numbers, None for NaN."""
        return [None if x != x else int(x) if self.whole else x for x in numbers.tolist()]


class Dates:
    """Dates of one format, texts or integers such as 20240131, as days since 1970; with times as seconds."""

    name = "date"

    def __init__(self, texts: pd.Series, format: str):
        """Raises ValueError where some text is not written so."""
        self.format = format
        parsed = pd.to_datetime(texts, format=format)
        self.unit = pd.Timedelta(1, "D" if (parsed == parsed.dt.normalize()).all() else "s")
        self.padded = bool((parsed.dt.strftime(format) == texts).all())
        if not self.padded and not (parsed.dt.strftime(format).map(_unpadded) == texts).all():
            raise ValueError("another format")

    def numbers(self, values: pd.Series) -> np.ndarray:
        """(N,) float64 of N values, NaN where one is missing."""
        parsed = pd.to_datetime(values.astype("string"), format=self.format)
        times, size = parsed.to_numpy("datetime64[us]"), self.unit // pd.Timedelta(1, "us")
        whole, part = np.divmod(times.astype(np.int64), size)  # exact, up to the year 9999
        return np.where(np.isnat(times), np.nan, whole + part / size)

    def write(self, numbers: np.ndarray) -> list[Any]:
        """N values of (N,) numbers, None for NaN."""
        whole, part = np.divmod(np.where(np.isfinite(numbers), numbers, 0).round(6), 1)
        size = self.unit // pd.Timedelta(1, "us")
        micros = whole.astype(np.int64) * size + (part * size).round().astype(np.int64)
        texts = pd.Series(micros.astype("datetime64[us]")).dt.strftime(self.format)
        texts = texts if self.padded else texts.map(_unpadded, na_action="ignore")
        compact = self.format == _COMPACT
        return [None if x != x else int(t) if compact else t for x, t in zip(numbers, texts, strict=True)]


class Clock:
    """Times of the day or durations, 7:05 or 07:05:30, as seconds."""

    name = "duration"

    def __init__(self, texts: pd.Series):
        self.seconds = texts.str.count(":").max() == 2
        self.digits = min(text.index(":") for text in texts)

    def numbers(self, values: pd.Series) -> np.ndarray:
        """(N,) float64 of N values, NaN where one is missing."""
        parts = values.astype("string").str.split(":", expand=True).astype("Float64").fillna(0)
        seconds = sum(parts[i].to_numpy(float) * 60.0 ** (2 - i) for i in range(parts.shape[1]))
        return np.where(values.isna(), np.nan, seconds)

    def write(self, numbers: np.ndarray) -> list[Any]:
        """N values of (N,) numbers, None for NaN."""
        return [None if x != x else self._text(round(x)) for x in numbers.tolist()]

    def _text(self, seconds: int) -> str:
        hours, minutes = f"{seconds // 3600:0{self.digits}}", f"{seconds // 60 % 60:02}"
        return f"{hours}:{minutes}:{seconds % 60:02}" if self.seconds else f"{hours}:{minutes}"


class Spans:
    """Durations as pandas writes them, 3 days 04:05:06, as seconds."""

    name = "duration"

    def numbers(self, values: pd.Series) -> np.ndarray:
        """(N,) float64 of N values, NaN where one is missing."""
        return pd.to_timedelta(values.astype(object)).dt.total_seconds().to_numpy(float)

    def write(self, numbers: np.ndarray) -> list[Any]:
        """N values of (N,) numbers, None for NaN."""
        return [None if x != x else str(pd.Timedelta(x, "s")) for x in numbers.tolist()]


class Ordered:
    """Texts in an order, as their places in it."""

    name = "text"

    def __init__(self, texts: Iterable[Any]):
        self.texts = list(texts)
        self._places = {text: float(place) for place, text in enumerate(self.texts)}

    def numbers(self, values: pd.Series) -> np.ndarray:
        """(N,) float64 of N values, NaN where one is missing."""
        return values.astype(object).map(self._places).to_numpy(float)

    def write(self, numbers: np.ndarray) -> list[Any]:
        """N values of (N,) numbers, None for NaN."""
        return [None if x != x else self.texts[int(x)] for x in numbers.tolist()]


def form_of(values: pd.Series) -> Form | None:
    """How a column's values are written where they can be numbers; None for truth values and other texts."""
    present = values.dropna().drop_duplicates()
    if types.is_bool_dtype(values.dtype) or present.empty:
        return None
    if types.is_numeric_dtype(values.dtype):
        compact = (
            types.is_integer_dtype(values.dtype) and len(present) > 5 and present.between(1900_01_01, 2100_12_31).all()
        )
        return (_dates(present.astype("string"), [_COMPACT]) if compact else None) or Plain(values)
    texts = present.astype("string")
    if texts.str.fullmatch(_CLOCK).all() and texts.str.count(":").nunique() == 1:
        return Clock(texts)
    if texts.str.fullmatch(_SPAN).all() and pd.to_timedelta(texts.astype(object), errors="coerce").notna().all():
        return Spans()
    return _dates(texts, map("".join, itertools.product(_DAYS, _TIMES)))


def plain_values(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with texts in place of dates and durations that have a type of their own."""
    return frame.apply(_as_texts)


def _as_texts(values: pd.Series) -> pd.Series:
    if types.is_datetime64_any_dtype(values.dtype):
        local = values.dt.tz_localize(None)
        days = (local.dropna() == local.dropna().dt.normalize()).all()
        return local.dt.strftime("%Y-%m-%d" if days else "%Y-%m-%d %H:%M:%S").astype("string")
    if types.is_timedelta64_dtype(values.dtype):
        return values.map(str, na_action="ignore").astype("string")
    if values.dtype == object and types.infer_dtype(values) == "decimal":
        return values.astype(float)
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.astype(values.cat.categories.dtype)
    return values


def _dates(texts: pd.Series, formats: Iterable[str]) -> Dates | None:
    for format in formats:
        try:
            datetime.strptime(texts.iloc[0], format)  # faster than pandas where it does not fit
            return Dates(texts, format)
        except (ValueError, OverflowError):
            continue
    return None


def _unpadded(text: str) -> str:
    """A date without the zeros before its day and month, 1/2/2024; its time is as it was."""
    return re.sub(r"(?<![\d:])0(?=\d)(?!\d*:)", "", text)
