"""JSON lines as records."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from gansearch.diagnosis.lines.cells import number
from gansearch.diagnosis.numbers.fragments import left_out
from gansearch.diagnosis.numbers.records import Records


class JsonLines:
    """A JSON object a line; nested names are joined by a slash, `{"mean": …, "std": …}` becomes two columns."""

    def __init__(self) -> None:
        self.records = Records()
        self._id = 0
        self._skipped = 0

    def feed(self, lines: Sequence[str], numbers: Sequence[int]) -> None:
        """Take lines with their numbers."""
        found = [json_object(line) for line in lines]
        self._skipped += sum(one is None and bool(line.strip()) for one, line in zip(found, lines, strict=True))
        whole = [place for place, one in enumerate(found) if one is not None]
        self.take([found[place] or {} for place in whole], [numbers[place] for place in whole])

    def take(self, rows: Sequence[dict[str, Any]], numbers: Sequence[int]) -> None:
        """Take objects with the numbers of their lines."""
        columns: dict[str, tuple[list[int], list[float]]] = {}
        first, self._id = self._id, self._id + len(rows)
        for record, row in enumerate(rows, first):
            for name, value in flattened(row).items():
                ids, values = columns.setdefault(name, ([], []))
                ids.append(record)
                values.append(value)
        self.records.add_lines(range(first, self._id), numbers)
        for name, (ids, values) in columns.items():
            self.records.add(name, np.array(ids), np.array(values))

    def notes(self) -> list[str]:
        """What was left out, a sentence each."""
        return left_out(self._skipped, "no JSON objects")

    def last(self, line: str, number: int) -> None:
        """Take a line without an end: an object has one of its own."""
        self.feed([line], [number])


def json_object(line: str) -> dict[str, Any] | None:
    """The object that a line is, None if it is none."""
    line = line.strip()
    if line.startswith("{") and line.endswith("}"):
        with suppress(ValueError, RecursionError):
            found = json.loads(line)
            return found if isinstance(found, dict) else None
    return None


def flattened(value: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """The numbers of a nested object by their joined names."""
    numbers: dict[str, float] = {}
    for name, one in value.items():
        path = f"{prefix}{name}"
        if isinstance(one, list) and len(one) == 1:
            one = one[0]
        if isinstance(one, dict) and "mean" in one:
            if one.get("num", 1) and isinstance(one["mean"], int | float):
                numbers[path] = as_float(one["mean"])
                if isinstance(one.get("std"), int | float):
                    numbers[f"{path}:std"] = as_float(one["std"])
        elif isinstance(one, dict):
            numbers |= flattened(one, f"{path}/")
        elif isinstance(one, int | float) and not isinstance(one, bool):
            numbers[path] = as_float(one)
        elif isinstance(one, str):
            with suppress(ValueError):
                if (value_of := number(one)) is not None:
                    numbers[path] = value_of
    return numbers


def as_float(value: float) -> float:
    """A number as a float: infinite for an integer beyond the largest one, as 1e400 is."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
