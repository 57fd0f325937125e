"""Which configurations can be trained at once with others that are drawn as the search goes on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gansearch.experiment import Training
from gansearch.gan.stacked import NOT_FINITE, brief, counts, difference, refusal
from gansearch.gan.trainer import Trainer


@dataclass(eq=False)
class Kind:
    """Configurations of which nothing keeps one from being trained at once with another."""

    training: Training
    """One of them."""
    why: str | None = None
    """Why each is trained alone, "" where they can be at once; None until two of them have been tried."""
    failures: int = 0
    """Times that training at once has raised since a training ended: the one whose code raises does."""

    def failed(self, error: BaseException) -> None:
        """Notes what training at once has raised; by the second time it is the fault of none of those that train."""
        self.failures += 1
        if self.failures > 1:
            self.why = brief(error)


class Kinds:
    """The kinds of configurations that one process has met."""

    def __init__(self) -> None:
        self._known: list[Kind] = []

    def of(self, training: Training) -> Kind:
        """The kind of a configuration."""
        for kind in self._known:
            if not difference([kind.training, training]):
                return kind
        kind = Kind(training)
        if counts(training):
            kind.why = "what an update computes follows from the number of those before it"
        self._known.append(kind)
        return kind

    def excuse(self) -> None:
        """Forgets failures: a training has ended."""
        for kind in self._known:
            kind.failures = 0

    def groups(self, trainers: Iterable[Trainer]) -> list[list[Trainer]]:
        """The trainers, those that can be trained at once together."""
        by_kind: dict[Kind, list[Trainer]] = {}
        for trainer in trainers:
            by_kind.setdefault(self.of(trainer.training), []).append(trainer)
        return [
            part
            for kind, group in by_kind.items()
            for part in ([[one] for one in group] if refused(kind, group) else [group])
        ]


def refused(kind: Kind, trainers: list[Trainer]) -> str:
    """Why these trainers of a kind are trained alone; empty where they can be at once, or there is one.

    The first two that come are tried, and others later where one of these diverges.
    """
    if kind.why is None and len(trainers) > 1:
        why = refusal(trainers[:2])
        if why == NOT_FINITE:
            return why
        kind.why = why
    return kind.why or ""
