"""Signs of lines that were cut, glued to each other, or printed twice."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

WHOLE = 99
"""More decimals than any number has."""


def left_out(count: int, what: str, unit: str = "line") -> list[str]:
    """A note on lines that were not taken, empty where there are none."""
    return [f"{count} {f'{unit} is' if count == 1 else f'{unit}s are'} {what} and left out."] if count else []


def decimals(cell: str) -> int:
    """Characters from the point on, 0 without one, `WHOLE` for nan, exponents and what ends in no digit."""
    if not cell[-1:].isdigit() or "e" in cell or "E" in cell:
        return 1 if cell.endswith(".") else WHOLE
    return len(cell) - cell.find(".") if "." in cell else 0


def short_cells(cells: Sequence[str]) -> np.ndarray:
    """Where the last number of a line was cut: (n,) booleans of cells with fewer decimals than a fixed format has.

    A format is fixed where nearly all cells have as many decimals and some of them end in zero.
    """
    lengths = np.fromiter(map(decimals, cells), np.int64, len(cells))
    some = lengths < WHOLE
    if some.sum() < 8:
        return np.zeros(len(cells), bool)
    usual = int(np.bincount(lengths[some]).argmax())
    shorter = some & (lengths < usual)
    if not 0 < shorter.sum() <= max(3, 0.01 * some.sum()) or (lengths[some] > usual).any():
        return np.zeros(len(cells), bool)
    padded = any(cell.endswith("0") for cell, one in zip(cells, lengths, strict=True) if one == usual)
    return shorter & padded


def copies(lines: Sequence[str]) -> int:
    """How often each line is printed in succession, as by a logger with two handlers; 1 unless all say the same."""
    lengths = [len(list(group)) for line, group in groupby(lines) if line.strip()]
    usual = max(set(lengths), key=lengths.count, default=1)
    return usual if len(lengths) >= 5 and lengths.count(usual) >= 0.8 * len(lengths) else 1


def begins(part: Sequence[str], texts: Sequence[str]) -> bool:
    """Whether a line with the first texts around its numbers is the begin of one with the others."""
    length = len(part)
    return length <= len(texts) and part[:-1] == texts[: length - 1] and texts[length - 1].startswith(part[-1])


def cut(part: Sequence[str], texts: Sequence[str]) -> bool:
    """Whether lines of a layout are lines of another without their begin or end, or with something else inside."""
    length = len(part)
    if part == texts:
        return False
    if begins(part, texts):
        return True
    if length <= len(texts) and part[1:] == texts[len(texts) - length + 1 :]:
        return texts[len(texts) - length].endswith(part[0])
    other = [place for place in range(1, length) if length == len(texts) and part[place] != texts[place]]
    if len(other) == 1 and part[other[0]].endswith(texts[other[0]]):
        return True
    same = next((i for i, (one, other) in enumerate(zip(part, texts, strict=False)) if one != other), 0)
    return same >= 2 and bool(texts[same]) and part[same][:1] != texts[same][:1]
