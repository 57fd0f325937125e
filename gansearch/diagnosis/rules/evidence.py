"""A game's numbers as the rules see them: means over windows, and D's loss over its value at chance."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gansearch.diagnosis.rules import bounds
from gansearch.diagnosis.training_log import Game, Loss, TrainingLog

WINDOWS = 50
"""Windows of a log; one a record where there are fewer."""
HOLDS = 0.9
"""Share of the windows to the end in which something has to hold to have held since the first of them."""
SHORT = 8
"""Records under which only what is proven is found: a GAN's first lines look like many things."""
ROUNDED = 0.005
"""How far a printed probability may be from the one that it is."""
GREATEST = 1e9
"""Of D's loss over its value at chance: sizes beyond it say no more, and have no square."""
SLACK = 0.95
"""How far under a least value a loss may be: printed digits are rounded, and labels may be smoothed a little."""


@dataclass(frozen=True)
class Assumption:
    """What the numbers of D's loss are taken for."""

    loss: str
    halves: str

    @property
    def chance(self) -> float:
        """D's loss as it is printed at chance."""
        return bounds.chance(self.loss, self.halves)

    def __str__(self) -> str:
        return f"{self.loss}, {self.halves} of D's {'terms' if 'three' in self.halves else 'halves'}"


@dataclass(frozen=True)
class Evidence:
    """One game of a log."""

    log: TrainingLog
    game: Game
    trusted: bool = True
    """False where the columns contradict each other, so that nothing can be concluded from D's loss."""

    def name(self, role: str) -> str:
        """The name of a role's column."""
        return self.game.columns.get(role, role)

    def has(self, *roles: str) -> bool:
        """Whether every one of the roles has a finite number somewhere."""
        return all(role in self.game.values and np.isfinite(self.game.values[role]).any() for role in roles)

    @functools.cached_property
    def edges(self) -> np.ndarray:
        """(W + 1,) the first record of each window, and the number of records."""
        count = min(WINDOWS, self.log.records)
        return np.round(np.linspace(0, self.log.records, count + 1)).astype(int)

    @functools.cached_property
    def half(self) -> int:
        """The first window of the last half, which is judged."""
        return (len(self.edges) - 1) // 2

    def windows(self, role: str) -> np.ndarray:
        """(W,) means of a role's finite numbers; NaN where a window has none."""
        return self.means(self.game.values[role])

    def means(self, values: np.ndarray) -> np.ndarray:
        """(W,) means of the finite ones of (N,) values."""
        return np.array([finite_mean(values[a:b]) for a, b in itertools.pairwise(self.edges)])

    def judged(self, role: str) -> float:
        """Mean over the last half; NaN where there is no number."""
        return finite_mean(self.game.values[role][self.edges[self.half] :])

    def since(self, holds: np.ndarray) -> tuple[float, int]:
        """(step, line) of the first window from which on nearly all (W,) windows hold."""
        for window in np.flatnonzero(holds):
            if holds[window:].mean() >= HOLDS:
                return self.at(int(self.edges[window]))
        return self.at(int(self.edges[self.half]))

    def at(self, record: int) -> tuple[float, int]:
        """(step, line) of a record."""
        return float(self.log.steps[record]), int(self.log.lines[record])

    @functools.cached_property
    def d_name(self) -> str:
        """The name of D's loss in the log: that of one column, or of its two halves."""
        halves = ("d_loss_real", "d_loss_fake")
        if self.has(*halves):
            return " + ".join(self.name(role) for role in halves)
        return self.name("d_loss")

    @functools.cached_property
    def d_loss(self) -> np.ndarray | None:
        """(N,) D's loss: the sum of the two halves where both are there, else the column; None without either."""
        if self.has("d_loss_real", "d_loss_fake"):
            return self.game.values["d_loss_real"] + self.game.values["d_loss_fake"]
        return self.game.values["d_loss"] if self.has("d_loss") else None

    @functools.cached_property
    def negative(self) -> float:
        """Share of D's finite losses that are below 0 by more than a rounding."""
        if self.d_loss is None:
            return 0.0
        finite = self.d_loss[np.isfinite(self.d_loss)]
        return float((finite < -1e-3).mean()) if len(finite) else 0.0

    @property
    def is_critic(self) -> bool:
        """Whether D may be a critic without a boundary between real and fake."""
        return self.game.loss == "wgan" or (self.game.loss is None and self.negative > 0.01)

    @functools.cached_property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What D's loss may be, by what is known and what its values allow; empty where nothing can be concluded."""
        return self.possible if self.trusted else ()

    @functools.cached_property
    def possible(self) -> tuple[Assumption, ...]:
        """The candidates that the values allow; what is only the habit of a code base gives way to the other halves."""
        allowed = tuple(one for one in self.candidates if self.allows(one))
        if allowed or self.game.loss_source == "--loss" or self.has("d_loss_real", "d_loss_fake"):
            return allowed
        others = (Assumption(one.loss, "mean" if one.halves == "sum" else "sum") for one in self.candidates)
        return tuple(one for one in others if self.allows(one))

    @functools.cached_property
    def candidates(self) -> tuple[Assumption, ...]:
        """What D's loss may be by what is known of it, whatever its values are."""
        if self.d_loss is None or self.game.loss == "wgan" or self.is_critic:
            return ()
        if "TimeGAN" in self.log.format and self.game.loss == "bce":
            return (Assumption("bce", "sum of three"),)
        losses = (self.game.loss,) if self.game.loss else tuple(bounds.CHANCE)
        both = self.has("d_loss_real", "d_loss_fake")
        halves = ("sum",) if both else (self.game.halves,) if self.game.halves else ("mean", "sum")
        return tuple(Assumption(loss, half) for loss in losses for half in halves)

    def allows(self, assumption: Assumption) -> bool:
        """Whether D's values can be that loss, by bounds alone."""
        if self.negative > 0.01:
            return False
        if assumption.loss != "bce":
            return True
        return all(np.nanmedian(values) >= SLACK * np.nanmedian(least) for values, least in self._least(assumption))

    def _least(self, assumption: Assumption) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Sums of D's halves under BCE in the last half of the log, and the least they can be by other columns."""
        assert self.d_loss is not None
        total = self.means(self.d_loss)[self.half :] * (2 / bounds.HALVES[assumption.halves])
        if self.answers:
            p_real, p_fake = (self.windows(role)[self.half :] for role in ("p_real", "p_fake"))
            least = bounds.least_sum(np.maximum(p_real + ROUNDED, 0.01), np.minimum(p_fake - ROUNDED, 0.99))
            known = np.isfinite(total) & np.isfinite(least)
            if known.any():
                yield total[known], least[known]

    @functools.cached_property
    def answers(self) -> bool:
        """Whether the mean answers D(x) and D(G(z)) are there, as probabilities."""
        if not self.has("p_real", "p_fake"):
            return False
        values = np.concatenate([self.game.values[role] for role in ("p_real", "p_fake")])
        finite = values[np.isfinite(values)]
        return bool(((finite >= 0) & (finite <= 1)).all())

    def u(self, assumption: Assumption) -> np.ndarray:
        """(W,) D's loss over its value at chance: 1 is a D that cannot tell, 0 one that is certain and right."""
        assert self.d_loss is not None
        return np.minimum(self.means(self.d_loss) / assumption.chance, GREATEST)

    @property
    def is_short(self) -> bool:
        """Whether the log has too few records for what is likely; what is proven holds for any number."""
        return self.log.records < SHORT

    @property
    def has_other_terms(self) -> bool:
        """Whether G has other losses to learn from than D's answers."""
        return self.has("reconstruction") or "g_total" in self.game.values

    def of_loss(self, loss: Loss | None) -> Evidence:
        """The same game with a loss that its values give away."""
        return dataclasses.replace(self, game=dataclasses.replace(self.game, loss=loss, loss_source="the values"))

    def distrusted(self) -> Evidence:
        """The same game, of which nothing is concluded from D's loss."""
        return dataclasses.replace(self, trusted=False)


def finite_mean(values: np.ndarray) -> float:
    """The mean of the finite ones of some values; NaN where there are none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else math.nan
