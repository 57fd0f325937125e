"""How many trials train at once on a GPU: the number with the greatest total throughput that fits into its memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from gansearch.store.record import parse

GPU_MARGIN = 0.1
"""Share of a GPU's memory that is left free: what is allocated falls into pieces, and batches differ."""
MOST_ON_A_GPU = 16
"""Most trials that are advised for one GPU, however small they are."""
NO_GPU = "GPU: there is none, so gpus: fill trains on the CPU, as auto does"
"""What is said of `gpus: fill` where there is nothing to fill."""
_LESS = 0.9
"""Share of the greatest throughput below which no larger number is tried."""


@dataclass(frozen=True)
class Card:
    """What was measured on one GPU of a kind."""

    name: str
    memory: int
    """Bytes that a trial takes at most, with CUDA's context."""
    total: int
    """Bytes of the GPU, or of the part of it (MIG) that is used as one."""
    rates: Mapping[int, float]
    """Updates a second of all trials together, by the number that trained at once."""
    count: int = 1
    """GPUs of this kind that the cluster has."""

    def said(self, at_once: int) -> str:
        """Return what was measured with so many trials, beside one; of one alone, beside what comes nearest to it."""
        others = {number: rate for number, rate in self.rates.items() if number != at_once}
        other = 1 if at_once > 1 else max(others, key=lambda number: others[number], default=0)
        against = f" against {product(other, others[other])}" if other in others else ""
        if at_once in self.rates:
            measured = f"{product(at_once, self.rates[at_once])} updates/s{against}"
        else:
            measured = "one less than ran out of memory"
        each = " each" if at_once > 1 else ""
        return f"{measured}; {self.memory / 1e9:.2g} of {self.total / 1e9:.3g} GB{each}"


@dataclass(frozen=True)
class Fill:
    """How full each GPU is made."""

    at_once: int
    """Trials at once on each GPU."""
    cards: tuple[Card, ...] = ()
    """What was measured, by kind of GPU; none where torch sees no GPU on the nodes that have one."""

    def __str__(self) -> str:
        """Return one line: the number and what it was chosen by."""
        trials = "1 trial at a time" if self.at_once == 1 else f"{self.at_once} trials at once"
        several = len(self.cards) > 1
        cards = "; ".join((f"{card.name}: " if several else "") + card.said(self.at_once) for card in self.cards)
        return f"{trials} on each GPU: {cards or 'torch sees none there, so nothing was measured'}"

    @property
    def slowdown(self) -> float:
        """How many times as long a trial takes as alone on its GPU, a mean over the kinds; 1 where it is not known."""
        known = [card.rates for card in self.cards if {1, self.at_once} <= card.rates.keys()]
        return fmean(slowdown(rates, self.at_once) for rates in known) if known else 1.0

    def as_dict(self) -> dict[str, Any]:
        """Return what run.json keeps."""
        return asdict(self)


def parse_fill(data: Any) -> Fill | None:
    """Return what a run.json has kept; None where there is none that can be used."""
    try:
        fill = parse(Fill, data)
    except (ValueError, TypeError):
        return None
    numbers = [fill.at_once, *(number for card in fill.cards for number in card.rates)]
    return fill if all(1 <= number <= MOST_ON_A_GPU for number in numbers) else None


def fullest(cards: Sequence[Card]) -> int:
    """Return the number of trials at once with the greatest throughput of all GPUs together.

    It was tried on every kind of GPU and fits into the memory of each; of equals it is the smallest, and 1 where none
    fits.
    """
    tried = set.intersection(*(set(card.rates) for card in cards)) if cards else set()
    numbers = [number for number in sorted(tried) if all(number <= fitting(card.memory, card.total) for card in cards)]
    return max(numbers, key=lambda number: sum(card.count * card.rates[number] for card in cards), default=1)


def try_numbers(burst: Callable[[int], float | None], most: int) -> dict[int, float]:
    """Return the throughput of 1, 2, 4, … trials at once, up to `most`, as `burst` measures it.

    None of it says that they do not fit. Larger numbers are left out once one is clearly slower than a smaller one.
    """
    rates: dict[int, float] = {}
    number = 1
    while number <= max(1, most):
        rate = burst(number)
        if rate is None:
            break
        rates[number] = rate
        if rate < _LESS * max(rates.values()):
            break
        number *= 2
    return rates


def fitting(memory: int, total: int) -> int:
    """Return how many trials fit into a GPU's memory, with a margin; 0 without a GPU."""
    return int(total * (1 - GPU_MARGIN) / memory) if total else 0


def share(trials: int) -> float:
    """Return the share of a GPU, in three digits, of which exactly so many trials fit, up to 16; 1 for none."""
    return math.floor(1000 / trials) / 1000 if trials > 1 else 1.0


def slowdown(rates: Mapping[int, float], at_once: int) -> float:
    """Return how many times as long a trial takes as alone, by the throughput of numbers of trials; 1 if unknown."""
    return at_once * rates[1] / rates[at_once] if {1, at_once} <= rates.keys() else 1.0


def product(trials: int, rate: float) -> str:
    """Return a number of trials times the updates a second of each, of their sum."""
    each = rate / trials
    return f"{trials} x {each:,.0f}" if each >= 10 else f"{trials} x {each:.2g}"
