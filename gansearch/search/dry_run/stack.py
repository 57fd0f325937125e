"""How many trials one process trains at once: the number with the greatest throughput, if that is worth it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gansearch.experiment.sections import MOST_ROWS
from gansearch.search.dry_run.fill import product, slowdown
from gansearch.store.record import parse

GAIN = 1.2
"""Times the throughput of one trial alone from which several at once are worth the workers beside them."""
_MOST = 0.5
"""Share of a trial's time that its evaluations take from which they are named."""
_NEARLY = 0.95
"""Share of the greatest throughput with which a smaller number is enough: its trials end sooner."""


@dataclass(frozen=True)
class Stack:
    """How many trials share a process."""

    at_once: int
    rates: Mapping[int, float] = field(default_factory=dict)
    """Updates a second of all trials of one process, their probes included, by the number of trials."""
    why: str = ""
    """Why trials are trained alone, where no measurement says so."""
    device: str = ""
    evaluated: float = 0.0
    """Share of a trial's time, alone, in which it is probed and measured, which each does by itself."""

    def __str__(self) -> str:
        """Return one line: the number and what it was chosen by."""
        if self.why:
            return f"each trial has a process of its own: {self.why}"
        several = {number: rate for number, rate in self.rates.items() if number > 1}
        other = 1 if self.at_once > 1 else max(several, key=lambda number: several[number], default=0)
        alone = "each trial has a process of its own"
        said = f"{self.at_once} trials at once in each process" if self.at_once > 1 else alone
        measured = [product(n, self.rates[n]) for n in (self.at_once, other) if n in self.rates]
        if len(measured) < 2:
            return said
        most = (
            f"; {self.evaluated:.0%} of the time is each trial's own, for its probes" if self.evaluated > _MOST else ""
        )
        return f"{said}: {' against '.join(measured)} updates/s ({self.device}){most}"

    @property
    def slowdown(self) -> float:
        """How many times as long a trial takes as alone; 1 where it is not known."""
        return slowdown(self.rates, self.at_once)

    def as_dict(self) -> dict[str, Any]:
        """Return what run.json keeps."""
        return asdict(self)


def parse_stack(data: Any) -> Stack | None:
    """Return what a run.json has kept of a measurement; None where there is none that can be used."""
    try:
        stack = parse(Stack, data)
    except (ValueError, TypeError):
        return None
    return stack if (stack.rates or stack.why) and 1 <= stack.at_once <= MOST_ROWS else None


def row_of(bundle: Mapping[str, float], rows: int) -> dict[str, float]:
    """Return the part of a process's resources, by Ray's names, that each of its trials reserves."""
    shared = {name: math.floor(10_000 * bundle[name] / rows) / 10_000 for name in ("CPU", "GPU") if name in bundle}
    return {**bundle, **shared}


def chosen(rates: Mapping[int, float]) -> int:
    """Return the smallest number whose throughput is nearly the greatest; 1 where that is not worth it."""
    greatest = max(rates.values())
    if greatest < GAIN * rates[1]:
        return 1
    return min(number for number, rate in rates.items() if rate >= max(_NEARLY * greatest, GAIN * rates[1]))
