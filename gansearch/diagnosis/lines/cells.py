"""Single cells and printed values as numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from gansearch.diagnosis.lines.pairs import DIGITS

BLANK = frozenset(("", "n/a", "na", "none", "null", "-", "--", "<na>", "#n/a"))
WHOLE = re.compile(rf"\s*({DIGITS})\s*%?\s*")
WRAPPED = re.compile(rf"(?:[\w.]*\(|\[)*\s*({DIGITS}|[-+]?(?:nan|inf))[^0-9]*.*", re.IGNORECASE | re.DOTALL)


def number(cell: str) -> float | None:
    """The value of a cell such as `0.5`, `tensor(10.5, grad_fn=<…>)`, `12,000`, `71.9%`; None of a blank one.

    Raises:
        ValueError: The cell is no number.
    """
    cell = cell.strip().strip("\"'")
    if cell.lower() in BLANK:
        return None
    with suppress(ValueError):
        return float(cell)
    found = WHOLE.fullmatch(cell) or (WRAPPED.fullmatch(cell) if re.match(r"[\w.]*[(\[]|[-+.\d]+\s*\(", cell) else None)
    if found is None:
        raise ValueError(cell)
    return float(found.group(1).replace(",", ""))


def column(cells: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Cells as (n,) values and the (n,) booleans of those that are no blanks; what is no number is a blank."""
    with suppress(ValueError):
        return np.array(list(map(float, cells)), float), np.ones(len(cells), bool)
    values, printed = np.full(len(cells), math.nan), np.zeros(len(cells), bool)
    for place, cell in enumerate(cells):
        with suppress(ValueError):
            if (value := number(cell)) is not None:
                values[place], printed[place] = value, True
    return values, printed
