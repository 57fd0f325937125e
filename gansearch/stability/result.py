"""The result of one seed: how its training ended, and how it was judged."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gansearch.formatting import fit
from gansearch.stability.verdict import HEALTHY


@dataclass(frozen=True, kw_only=True)
class SeedResult:
    """One seed of one configuration, trained and judged. NaN stands for a number that is not known."""

    seed: int
    status: str = "complete"
    """complete, pruned or failed."""
    error: str = ""
    """Why it failed; empty otherwise."""
    verdict: str
    sentence: str = ""
    """The verdict explained with the numbers of this run."""
    stability: float
    """In [0, 1]; larger is better."""
    distance: float
    """The task's quality measure; smaller is better."""
    quality: dict[str, float] = field(default_factory=dict)
    """All that the task's quality measure gave, by name."""
    saturated_right: float = math.nan
    saturated_wrong: float = math.nan
    separability: float = math.nan
    referee_gap: float = math.nan
    late_since: float = math.nan
    """The last update before trouble that began late and lasted to the end, which is the verdict; NaN without such."""
    updates: int = 0
    """Of D and G together."""
    train_seconds: float = math.nan
    """Time inside the trainer."""
    verdicts: dict[str, str] = field(default_factory=dict)
    """Of each discriminator by name, where a training loop has several; `verdict` is the worst."""

    def __post_init__(self) -> None:
        """Make its texts fit to be written: what a user's code raises or names may hold any byte."""
        for name in ("error", "sentence", "quality", "verdicts"):
            object.__setattr__(self, name, fit(getattr(self, name)))

    @property
    def healthy(self) -> bool:
        """Whether it was trained to its end, and is balanced or nothing wrong can be known of it."""
        return self.status == "complete" and self.verdict in HEALTHY
