"""Numbers by record and name as they come, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gansearch.diagnosis.numbers.names import TOTAL, counter, meaning

MOST_RECORDS = 200_000
"""Above it the means over blocks of 2, 4, 8, … records are kept."""
_MOST_VALUES = 4 * MOST_RECORDS
"""Of a column, above which those of a block are joined before the block is."""
MOST_COLUMNS = 400
"""Names after which those without a meaning are not kept: prose with numbers in it must not fill the memory."""


class Records:
    """A table with blanks that grows. Records have numbers 0, 1, 2, …; a column is kept sparse.

    Past `MOST_RECORDS` neighbours are joined to blocks: a column's value is then the mean of those printed in a
    block, a counter's the last. A printed nan or inf stays what it is.
    """

    def __init__(self) -> None:
        self.block = 1
        """Records in a block."""
        self._next = 0
        self._lines: list[tuple[np.ndarray, np.ndarray]] = []
        self._columns: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}

    def __len__(self) -> int:
        return -(-self._next // self.block)

    @property
    def names(self) -> list[str]:
        """The columns in the order in which they came."""
        return list(self._columns)

    def add_lines(self, ids: Iterable[int], lines: Iterable[int]) -> None:
        """The line on which each record begins; of a repeated record the first counts."""
        pair = np.fromiter(ids, np.int64), np.fromiter(lines, np.int64)
        if len(pair[0]):
            self._next = max(self._next, int(pair[0][-1]) + 1)
            self._lines.append((pair[0] // self.block, pair[1]))
            if flatten(self._lines) > _MOST_VALUES:
                ids, numbers = self._lines[0]
                first = np.append(True, ids[1:] != ids[:-1])
                self._lines = [(ids[first], numbers[first])]
        while len(self) > MOST_RECORDS:
            self._join()

    def add(self, name: str, ids: np.ndarray, values: np.ndarray) -> None:
        """Values of a column in some records."""
        known = name in self._columns or len(self._columns) < MOST_COLUMNS
        if len(ids) and (known or meaning(name) or counter(name)):
            chunks = self._columns.setdefault(name, [])
            chunks.append((ids // self.block, values))
            if flatten(chunks) > _MOST_VALUES:
                ids, values = chunks[0]
                whole = np.searchsorted(ids, ids[-1])  # the last block is not complete yet
                if whole:
                    chunks[:] = [one_each(name, ids[:whole], values[:whole]), (ids[whole:], values[whole:])]

    def column(self, name: str, last: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """The (N,) values of a column, NaN where none was printed, and the (N,) booleans of where one was.

        Args:
            name: The column.
            last: Whether of a block the last value counts, as for counters, instead of the mean.
        """
        ids, values = self._flat(name)
        return spread(ids, values, len(self), last)

    def lines(self) -> np.ndarray:
        """The (N,) lines on which the records begin."""
        flatten(self._lines, 1)
        ids, lines = self._lines[0] if self._lines else (np.zeros(0, np.int64), np.zeros(0, np.int64))
        first = np.zeros(len(self), np.int64)
        first[ids[::-1]] = lines[::-1]
        return first

    def _flat(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        flatten(self._columns[name], 1)
        return self._columns[name][0]

    def _join(self) -> None:
        """Join every two blocks."""
        for name in self._columns:
            ids, values = self._flat(name)
            self._columns[name] = [one_each(name, ids // 2, values)]
        lines = self.lines()[::2]
        self.block *= 2
        self._lines = [(np.arange(len(lines)), lines)]


def flatten(chunks: list[tuple[np.ndarray, np.ndarray]], most: int = 1000) -> int:
    """Join chunks of ids and values in place where they are more than so many, or hold too many values.

    Returns the number of values. Small arrays fill the memory.
    """
    count = sum(len(ids) for ids, _ in chunks)
    if len(chunks) > most or count > _MOST_VALUES:
        chunks[:] = [(np.concatenate([ids for ids, _ in chunks]), np.concatenate([values for _, values in chunks]))]
    return count


def one_each(name: str, ids: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One value of a column for each of its blocks: the mean, of a counter the last."""
    if counter(name.removesuffix(TOTAL)):
        keep = np.append(ids[1:] != ids[:-1], True)
        return ids[keep], values[keep]
    dense, printed = spread(ids, values, int(ids[-1]) + 1)
    return np.flatnonzero(printed), dense[printed]


def spread(ids: np.ndarray, values: np.ndarray, length: int, last: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Values at their places in an array of a length, the mean or the last where several share one."""
    dense, printed = np.full(length, np.nan), np.zeros(length, bool)
    dense[ids] = values
    printed[ids] = True
    if not last and printed.sum() < len(ids):
        counts = np.bincount(ids, minlength=length)
        with np.errstate(all="ignore"):
            means = np.bincount(ids, weights=values, minlength=length) / counts
        several = counts > 1
        dense[several] = means[several]
    return dense, printed
