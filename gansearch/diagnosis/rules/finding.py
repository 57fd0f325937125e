"""What a rule finds in a log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Grade = Literal["proven", "likely", "note"]
"""`proven` follows from the printed numbers by a bound; `likely` does so in every run that was tried; `note` is said
for the reader's information and says nothing against the run."""

KINDS = {
    "diverged": "The numbers are no longer finite.",
    "frozen": "The losses no longer change: all outputs are at the end of the scale, where nothing has a gradient.",
    "discriminator_saturated": "D is certain and right about nearly all samples, and G learns little from it.",
    "generator_dominates": "D is worse than one that always answers that it cannot tell: G fools it.",
    "oscillating": "D's loss swings far and fast: D and G chase each other.",
    "not_training": "One of the networks does not learn.",
    "not_started": "The adversarial part has not begun.",
    "idle": "The adversarial part says nothing to G, which learns from its other losses alone.",
    "runaway": "The critic's values grow without end.",
    "contradiction": "The columns cannot be the two sides of one game under this loss.",
    "memorising": "D knows the training samples by heart.",
    "metric_broken": "A quality metric has values that it cannot have.",
    "trend": "What a quality metric did.",
}
"""Every kind of finding in a sentence, worst first."""


@dataclass(frozen=True)
class Finding:
    """One finding of a game."""

    kind: str
    """One of KINDS."""
    grade: Grade
    text: str
    """What was found and the arithmetic, in the names of the log's columns."""
    since: float | None = None
    """The step from which on it has held; None where it is about the whole log."""
    line: int | None = None
    """The line of the file of that step, from 1."""
    advice: str = ""
    """The setting to change, and what to do next."""
    game: str = ""
    """The name of the game; empty for the only one, and for what is about the whole log."""

    @property
    def is_verdict(self) -> bool:
        """Whether it says that something is wrong."""
        return self.grade != "note"


@dataclass(frozen=True)
class Unknown:
    """What cannot be judged, and what would decide it."""

    text: str
